"""Which master keys the values of this database are sealed with."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T01:41:07:000000"
VERSION = "1.38.0"
DESCRIPTION = "secret keys"

# No tenant: the keys are the gateway's. Only `gateway keys rotate`, as the owner, takes one away.
TABLE = """
CREATE TABLE secret_keys (
    ordinal integer PRIMARY KEY,
    id text NOT NULL CONSTRAINT secret_keys_id UNIQUE,
    recorded_at timestamptz NOT NULL
);
"""


async def forwards() -> MigrationManager:
    """Create the table."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(TABLE,))
