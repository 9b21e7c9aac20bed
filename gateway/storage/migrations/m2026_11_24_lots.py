"""Lots: what members were credited of assets that expire, and what is left of it.

Assets without a lifetime have no lots, and their accounts say nothing of them.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-24T13:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "lots, expiry"

STATEMENTS = """
ALTER TABLE assets ADD COLUMN expires_after_days integer CHECK (expires_after_days > 0);
CREATE INDEX assets_expiring ON assets (tenant_id, id) INCLUDE (expires_after_days) WHERE expires_after_days IS NOT NULL;
ALTER TABLE accounts ADD COLUMN expires_after_days integer;
CREATE TABLE lots (
    tenant_id uuid NOT NULL,
    account_id uuid NOT NULL,
    sequence bigint NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    remaining_minor bigint NOT NULL CHECK (remaining_minor BETWEEN 0 AND amount_minor),
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, account_id, sequence),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id)
) WITH (fillfactor = 70);
CREATE INDEX lots_open ON lots (tenant_id, account_id, expires_at, sequence) WHERE remaining_minor > 0;
CREATE INDEX lots_due ON lots (tenant_id, expires_at) WHERE remaining_minor > 0;
CREATE INDEX grants_due ON grants (tenant_id, expires_at) WHERE expires_at IS NOT NULL AND status IN ('CONFIRMED', 'CLAIMED')
    AND (status = 'CONFIRMED' OR kind <> 'CUSTOM');
CREATE INDEX codes_due ON codes (tenant_id, expires_at) WHERE expires_at IS NOT NULL AND status = 'FREE';
"""


async def forwards() -> MigrationManager:
    """Add the columns, the table and the indexes."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(STATEMENTS,))
