"""Custom fields: declared by an organisation, carried by the items it issues (CAP-14)."""
