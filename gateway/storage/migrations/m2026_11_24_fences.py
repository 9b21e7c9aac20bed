"""Fenced keys, unread notifications, and what was held at a past time.

A fenced key has no answer and never will. The partial index serves the unread messages of a member; the index on holds serves
an account's reservations at a past time, when ended ones were still open.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-24T10:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "fenced keys, unread notifications, holds by account"

STATEMENTS = """
ALTER TABLE operations ADD COLUMN fenced_at timestamptz;
CREATE INDEX notifications_unread ON notifications (tenant_id, member_id, id) WHERE read_at IS NULL;
CREATE INDEX holds_by_account ON holds (tenant_id, account_id, created_at);
"""


async def forwards() -> MigrationManager:
    """Add the column and the indexes."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(STATEMENTS,))
