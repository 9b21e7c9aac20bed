"""Tenants, their organizations and assets, and the credentials that act for them."""
