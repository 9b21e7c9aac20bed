"""A keyed chain over what was done: the order in which it was committed, and the blocks that are made of it.

`written_in` is the number of the database transaction that wrote a row last. Every row below the oldest one that is still
running is there for good, so that whoever reads in the order of (written_in, id) misses nothing: the chain does, and whatever
else needs events in order may. What is there already was written by this migration, as far as that order goes.
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-12-01T11:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "chain"

ORDER = """
ALTER TABLE operations ADD COLUMN written_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE ledger_transactions ADD COLUMN written_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
ALTER TABLE grants ADD COLUMN written_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX operations_as_written ON operations (tenant_id, written_in, id);
CREATE INDEX ledger_transactions_as_written ON ledger_transactions (tenant_id, written_in, id);
CREATE INDEX grants_as_written ON grants (tenant_id, written_in, id);
"""

# Hashes do not compress.
BLOCKS = """
CREATE TABLE chain_blocks (
    tenant_id uuid NOT NULL,
    number bigint NOT NULL,
    form smallint NOT NULL,
    previous bytea NOT NULL,
    operations_until bigint NOT NULL,
    operations_until_id uuid NOT NULL,
    transactions_until bigint NOT NULL,
    transactions_until_id uuid NOT NULL,
    grants_until bigint NOT NULL,
    grants_until_id uuid NOT NULL,
    fact_count integer NOT NULL,
    root bytea NOT NULL,
    made_at timestamptz NOT NULL,
    key_id text NOT NULL,
    tag bytea NOT NULL,
    signature bytea NOT NULL,
    fact_kinds bytea NOT NULL,
    fact_ids bytea NOT NULL,
    fact_hashes bytea NOT NULL,
    CONSTRAINT chain_blocks_pkey PRIMARY KEY (tenant_id, number),
    CONSTRAINT chain_blocks_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
ALTER TABLE chain_blocks ALTER COLUMN fact_kinds SET STORAGE EXTERNAL, ALTER COLUMN fact_ids SET STORAGE EXTERNAL,
    ALTER COLUMN fact_hashes SET STORAGE EXTERNAL;
CREATE INDEX chain_blocks_by_grants ON chain_blocks (tenant_id, grants_until, grants_until_id);
CREATE TABLE chain_leases (
    tenant_id uuid NOT NULL,
    holder_id uuid NOT NULL,
    leased_until timestamptz NOT NULL,
    CONSTRAINT chain_leases_pkey PRIMARY KEY (tenant_id),
    CONSTRAINT chain_leases_tenant FOREIGN KEY (tenant_id) REFERENCES tenants (id)
);
"""


async def forwards() -> MigrationManager:
    """Add the columns with their indexes, and the tables."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(ORDER, BLOCKS))
