"""A small demo tenant, so that a newcomer has something to query in the first minute."""
