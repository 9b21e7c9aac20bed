"""Purchasing: asking vendors for what pending grants have ordered, outside of every database transaction (CAP-5)."""
