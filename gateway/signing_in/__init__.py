"""How members sign in: short-lived tokens that partners make, and tokens of an organization's own issuer."""
