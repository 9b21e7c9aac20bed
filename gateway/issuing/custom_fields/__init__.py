"""Custom fields: declared by an organization, carried by the items it issues (CAP-14)."""
