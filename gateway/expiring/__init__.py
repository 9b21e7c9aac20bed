"""Expiring: what nobody used in time ends by itself, as transactions like any other."""
