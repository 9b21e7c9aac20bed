"""Entries without an index by time: an account's entries are in the order of time, so times are found through the index by sequence.

Both indexes began with the account, so that each entry was written at two random places
(docs/decisions/0050-entries-by-sequence.md).
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-26T03:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "ledger entries by sequence alone"

STATEMENTS = """
DROP INDEX ledger_entries_by_time;
"""


async def forwards() -> MigrationManager:
    """Drop the index."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(STATEMENTS,))
