"""Claiming: a member makes a confirmed grant theirs."""
