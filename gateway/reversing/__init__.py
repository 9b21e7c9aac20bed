"""Reversing: a grant is taken back by a new transaction."""
