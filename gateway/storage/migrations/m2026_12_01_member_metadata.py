"""What a reward's members may read of it, beside what the partner keeps for itself; part of a version, as its metadata is."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T01:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "metadata for members"

STATEMENTS = """
ALTER TABLE reward_versions ADD COLUMN member_metadata jsonb NOT NULL DEFAULT '{}'
"""


async def forwards() -> MigrationManager:
    """Add the column; what there is has none."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(STATEMENTS,))
