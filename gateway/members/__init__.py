"""Members: the people who receive rewards, and the identifiers that name them."""
