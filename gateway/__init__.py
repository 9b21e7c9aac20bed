"""Rewards gateway: one GraphQL schema over one double-entry ledger."""
