"""How much each caller may ask for: what an operation costs, what a caller may spend, and how many requests run at one time."""
