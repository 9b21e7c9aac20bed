"""Groups of members who pay together from one account (CAP-12)."""
