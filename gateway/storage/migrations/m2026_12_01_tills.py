"""Tills are told apart by a key of their names, and a credential may be bound to one till."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T02:10:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "keys of till names, credentials of tills"

NAMES = """
ALTER TABLE tills ADD COLUMN name_key text;
UPDATE tills SET name_key = lower(normalize(btrim(name), NFC));
ALTER TABLE tills ALTER COLUMN name_key SET NOT NULL;
ALTER TABLE tills DROP CONSTRAINT tills_name_taken;
ALTER TABLE tills ADD CONSTRAINT tills_name_taken UNIQUE (tenant_id, organization_id, name_key);
"""

CREDENTIALS = """
ALTER TABLE credentials ADD COLUMN till_id uuid;
ALTER TABLE credentials ADD CONSTRAINT credentials_till FOREIGN KEY (tenant_id, till_id) REFERENCES tills (tenant_id, id);
"""


async def forwards() -> MigrationManager:
    """Add the columns, and let the key decide which names are the same."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(NAMES, CREDENTIALS))
