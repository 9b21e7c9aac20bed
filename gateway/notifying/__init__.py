"""Notifying: a member reads the messages that were left for them."""
