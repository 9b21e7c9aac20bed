"""Granting: one reward to one member."""
