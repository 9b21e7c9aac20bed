"""What a member may owe: a reversal of a spent credit can leave an account below zero, by exactly its recorded debt."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-24T11:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "debts of members"

STATEMENTS = """
ALTER TABLE accounts ADD COLUMN debt_minor bigint NOT NULL DEFAULT 0 CHECK (debt_minor >= 0);
ALTER TABLE accounts ADD CONSTRAINT accounts_only_members_owe CHECK (debt_minor = 0 OR owner_kind = 'MEMBER');
ALTER TABLE accounts DROP CONSTRAINT accounts_never_below_zero;
ALTER TABLE accounts ADD CONSTRAINT accounts_never_below_zero CHECK (posted_minor + debt_minor >= held_minor);
"""


async def forwards() -> MigrationManager:
    """Add the column and let the check count it."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(STATEMENTS,))
