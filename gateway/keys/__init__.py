"""Keys: what is sealed at rest, hashed so that nobody can guess it, or signed. Pure but for the file of the embedded default."""
