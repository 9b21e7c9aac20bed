"""Distributing: one call rewards many recipients."""
