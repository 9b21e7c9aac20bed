"""Fulfillment: the stages that an organization declares, and where each issued reward stands (CAP-15)."""
