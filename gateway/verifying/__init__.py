"""Verifying: named checks that what the database holds is what the ledger promises."""
