"""Coupon codes sealed, found by a keyed hash, and each one once in an organization (decision 0073)."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T01:55:13:000000"
VERSION = "1.38.0"
DESCRIPTION = "sealed codes"

# The keys are the gateway's, so no statement can seal what is there.
REFUSE_PLAIN = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM codes) THEN
        RAISE EXCEPTION 'this database has coupon codes in plain, from before the first release: begin with a new one';
    END IF;
END $$
"""

CODES = """
ALTER TABLE code_pools ADD CONSTRAINT code_pools_of_organization UNIQUE (tenant_id, organization_id, id);
ALTER TABLE codes DROP CONSTRAINT codes_pkey, DROP CONSTRAINT codes_tenant_id_pool_id_fkey;
DROP INDEX codes_free;
ALTER TABLE codes DROP COLUMN code;
ALTER TABLE codes
    ADD COLUMN id uuid NOT NULL,
    ADD COLUMN organization_id uuid NOT NULL,
    ADD COLUMN code_index bytea NOT NULL,
    ADD COLUMN code_sealed bytea NOT NULL,
    ADD PRIMARY KEY (tenant_id, pool_id, id),
    ADD CONSTRAINT codes_pool FOREIGN KEY (tenant_id, organization_id, pool_id)
        REFERENCES code_pools (tenant_id, organization_id, id),
    ADD CONSTRAINT codes_index UNIQUE (tenant_id, organization_id, code_index);
CREATE INDEX codes_free ON codes (tenant_id, pool_id, id) WHERE status = 'FREE';
"""


async def forwards() -> MigrationManager:
    """Replace the codes' text."""
    return run_statements(
        migration_id=ID, description=DESCRIPTION, statements=(REFUSE_PLAIN, CODES)
    )
