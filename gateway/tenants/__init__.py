"""Tenants, their organisations and assets, and the credentials that act for them."""
