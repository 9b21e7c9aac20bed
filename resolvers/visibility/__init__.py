"""Who sees objects of which type, and which of their fields: `rules` says it, `guard` sees to it."""
