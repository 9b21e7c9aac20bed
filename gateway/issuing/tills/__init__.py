"""Tills, and the codes with which members confirm what is issued to them there (CAP-16)."""
