"""The double-entry ledger; it knows nothing of rewards."""
