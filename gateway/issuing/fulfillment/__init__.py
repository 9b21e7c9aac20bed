"""Fulfilment: the stages that an organisation declares, and where each issued reward stands (CAP-15)."""
