"""Storage: the database, its schema, and the embedded server."""
