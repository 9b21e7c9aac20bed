"""A member's cards and labels, and whether they are active (CAP-11)."""
