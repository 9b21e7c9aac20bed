"""Who is in a group or a segment: the same routine for both, set-based."""
