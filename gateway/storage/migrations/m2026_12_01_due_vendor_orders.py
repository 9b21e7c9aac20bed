"""Vendor orders that are due are found by vendor, so that a slow vendor keeps only its own orders waiting."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T09:50:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "due vendor orders by vendor"

DROP_INDEX = "DROP INDEX vendor_orders_due;"
CREATE_INDEX = """
CREATE INDEX vendor_orders_due ON vendor_orders (tenant_id, vendor_id, due_at) WHERE status = 'PENDING';
"""


async def forwards() -> MigrationManager:
    """Replace the index."""
    statements = (DROP_INDEX, CREATE_INDEX)
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=statements)
