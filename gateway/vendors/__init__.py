"""Vendors: who sells vouchers over HTTP, how each is asked and how its answers are read."""
