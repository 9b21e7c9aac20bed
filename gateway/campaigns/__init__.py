"""Campaigns: events that members cause, and the rewards that follow from them."""
