"""Holding: a partner reserves part of a member's balance, and takes it or sets it free."""
