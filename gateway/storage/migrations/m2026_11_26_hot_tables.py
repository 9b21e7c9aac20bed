"""No foreign keys on the tables that every grant writes to, where they only repeat what the same database transaction has read.

A key's check is a look-up for each row, and a lock on the row referred to: all grants of an organization share a lock on that one
row. Members and organizations are never deleted by the application's role, and `gateway verify` checks the references
(docs/decisions/0033-references-of-hot-tables.md).
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-26T01:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "references of hot tables"

STATEMENTS = """
ALTER TABLE operations DROP CONSTRAINT operations_tenant_id_organization_id_fkey;
ALTER TABLE grants DROP CONSTRAINT grants_tenant_id_member_id_fkey;
ALTER TABLE notifications DROP CONSTRAINT notifications_tenant_id_member_id_fkey;
ALTER TABLE issuances DROP CONSTRAINT issuances_tenant_id_member_id_fkey;
"""


async def forwards() -> MigrationManager:
    """Drop the keys."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(STATEMENTS,))
