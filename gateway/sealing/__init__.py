"""What is sealed in the database, and with which master keys."""
