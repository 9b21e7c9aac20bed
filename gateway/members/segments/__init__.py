"""Segments: sets of members that an organization's rewards can be reserved for (CAP-10)."""
