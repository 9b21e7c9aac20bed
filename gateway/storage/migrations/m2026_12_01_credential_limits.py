"""How much of an asset a credential may issue in a day, and how much of that it has issued on the latest day."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T11:30:17:000000"
VERSION = "1.38.0"
DESCRIPTION = "daily limits of credentials"

# Rows are written over and over: room beside them keeps their indexes as they are.
LIMITS = """
CREATE TABLE credential_limits (
    tenant_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    maximum_minor bigint NOT NULL CONSTRAINT credential_limits_maximum CHECK (maximum_minor >= 0),
    used_minor bigint NOT NULL CONSTRAINT credential_limits_used CHECK (used_minor >= 0),
    day date NOT NULL,
    CONSTRAINT credential_limits_pkey PRIMARY KEY (tenant_id, credential_id, asset_id),
    CONSTRAINT credential_limits_credential FOREIGN KEY (tenant_id, credential_id) REFERENCES credentials (tenant_id, id),
    CONSTRAINT credential_limits_asset FOREIGN KEY (tenant_id, asset_id) REFERENCES assets (tenant_id, id)
) WITH (fillfactor = 50);
"""


async def forwards() -> MigrationManager:
    """Create the table."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(LIMITS,))
