"""Grants: what members hold, and the one routine that awards it."""
