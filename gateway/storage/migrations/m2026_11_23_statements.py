"""An index for statements over all of a member's accounts, which are in the order of time.

The unique index on (account, sequence) serves the statement of one account. Times do not follow sequences exactly: a database
transaction that began earlier may post later.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-23T07:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "ledger entries by time"

STATEMENTS = """
CREATE INDEX ledger_entries_by_time ON ledger_entries (tenant_id, account_id, occurred_at, sequence)
    WHERE sequence IS NOT NULL;
"""


async def forwards() -> MigrationManager:
    """Create the index."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(STATEMENTS,))
