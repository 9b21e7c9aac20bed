"""Segments: sets of members that an organisation's rewards can be reserved for (CAP-10)."""
