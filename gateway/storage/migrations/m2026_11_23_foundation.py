"""The foundation: tenants, ledger, idempotency, members, catalog, grants.

Every primary key, foreign key and index starts with the tenant, and nothing depends on sequences, triggers or deferred
constraints, so that the tables can be sharded by tenant as they are (docs/decisions/0003-tenant-first.md).
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-23T06:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "tenants, ledger, idempotency, members, catalog, grants"

TENANTS = """
CREATE TABLE tenants (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    points_asset_id uuid NOT NULL,
    experience_asset_id uuid NOT NULL,
    cash_asset_id uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE organizations (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE credentials (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    member_id uuid,
    label text NOT NULL,
    scopes text[] NOT NULL,
    secret_hash bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
"""

LEDGER = """
CREATE TABLE assets (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    scale smallint NOT NULL CHECK (scale BETWEEN 0 AND 8),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT assets_code_taken UNIQUE (tenant_id, code)
);
CREATE TABLE accounts (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    asset_id uuid NOT NULL,
    owner_kind text NOT NULL,
    owner_id uuid NOT NULL,
    posted_minor bigint NOT NULL,
    held_minor bigint NOT NULL CHECK (held_minor >= 0),
    entry_count bigint NOT NULL,
    chain_hash bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT accounts_never_below_zero CHECK (posted_minor >= held_minor),
    FOREIGN KEY (tenant_id, asset_id) REFERENCES assets (tenant_id, id)
) WITH (fillfactor = 70);
CREATE INDEX accounts_by_owner ON accounts (tenant_id, owner_id, asset_id);
CREATE TABLE ledger_transactions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    operation_id uuid NOT NULL,
    reverses_id uuid,
    description text,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE ledger_entries (
    tenant_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    index integer NOT NULL,
    account_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0),
    grant_id uuid,
    occurred_at timestamptz NOT NULL,
    sequence bigint,
    balance_after_minor bigint,
    chain_hash bytea,
    PRIMARY KEY (tenant_id, transaction_id, index),
    CHECK ((sequence IS NULL) = (balance_after_minor IS NULL)),
    CHECK ((sequence IS NULL) = (chain_hash IS NULL))
);
CREATE UNIQUE INDEX ledger_entries_by_account ON ledger_entries (tenant_id, account_id, sequence)
    WHERE sequence IS NOT NULL;
CREATE TABLE holds (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    account_id uuid NOT NULL,
    operation_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    status text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    ended_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES accounts (tenant_id, id),
    CHECK ((status = 'OPEN') = (ended_at IS NULL))
);
CREATE INDEX holds_open_by_account ON holds (tenant_id, account_id) WHERE status = 'OPEN';
CREATE TABLE outbox_events (
    tenant_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id)
);
"""

OPERATIONS = """
CREATE TABLE operations (
    tenant_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    field_hashes jsonb NOT NULL,
    answer jsonb,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, partner_id, kind, key),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
"""

MEMBERS = """
CREATE TABLE members (
    tenant_id uuid NOT NULL REFERENCES tenants (id),
    id uuid NOT NULL,
    display_name text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE member_identifiers (
    tenant_id uuid NOT NULL,
    kind text NOT NULL,
    value text NOT NULL,
    member_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, kind, value),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX member_identifiers_by_member ON member_identifiers (tenant_id, member_id);
"""

CATALOG = """
CREATE TABLE products (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id),
    FOREIGN KEY (tenant_id, id) REFERENCES assets (tenant_id, id)
);
CREATE INDEX products_by_organization ON products (tenant_id, organization_id, id);
CREATE TABLE competitions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id),
    FOREIGN KEY (tenant_id, id) REFERENCES assets (tenant_id, id)
);
CREATE INDEX competitions_by_organization ON competitions (tenant_id, organization_id, id);
CREATE TABLE code_pools (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
CREATE INDEX code_pools_by_organization ON code_pools (tenant_id, organization_id, id);
CREATE TABLE code_imports (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    pool_id uuid NOT NULL,
    accepted_count integer NOT NULL,
    duplicate_count integer NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, pool_id) REFERENCES code_pools (tenant_id, id)
);
CREATE INDEX code_imports_by_pool ON code_imports (tenant_id, pool_id);
CREATE TABLE codes (
    tenant_id uuid NOT NULL,
    pool_id uuid NOT NULL,
    code text NOT NULL,
    status text NOT NULL,
    grant_id uuid,
    expires_at timestamptz,
    PRIMARY KEY (tenant_id, pool_id, code),
    FOREIGN KEY (tenant_id, pool_id) REFERENCES code_pools (tenant_id, id),
    CHECK ((status = 'FREE') = (grant_id IS NULL) OR status = 'VOIDED')
);
CREATE INDEX codes_free ON codes (tenant_id, pool_id, code) WHERE status = 'FREE';
CREATE UNIQUE INDEX codes_by_grant ON codes (tenant_id, grant_id) WHERE grant_id IS NOT NULL;
CREATE TABLE rewards (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    version_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    deleted_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, id)
);
CREATE INDEX rewards_by_organization ON rewards (tenant_id, organization_id, id) WHERE deleted_at IS NULL;
CREATE TABLE reward_versions (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    reward_id uuid NOT NULL,
    name text NOT NULL,
    description text,
    configuration jsonb NOT NULL,
    metadata jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, reward_id) REFERENCES rewards (tenant_id, id)
);
CREATE TABLE payment_configs (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    reward_id uuid NOT NULL,
    mode text NOT NULL,
    asset_id uuid,
    amount_minor bigint CHECK (amount_minor > 0),
    cash_asset_id uuid,
    cash_amount_minor bigint CHECK (cash_amount_minor > 0),
    conversion_ratio numeric CHECK (conversion_ratio > 0),
    archived_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, reward_id) REFERENCES rewards (tenant_id, id),
    FOREIGN KEY (tenant_id, asset_id) REFERENCES assets (tenant_id, id),
    FOREIGN KEY (tenant_id, cash_asset_id) REFERENCES assets (tenant_id, id)
);
CREATE INDEX payment_configs_by_reward ON payment_configs (tenant_id, reward_id);
"""

GRANTS = """
CREATE TABLE grants (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    member_id uuid NOT NULL,
    operation_id uuid NOT NULL,
    line_index integer NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    reward_id uuid,
    reward_version_id uuid,
    action_code text,
    client_reference text,
    metadata jsonb NOT NULL,
    benefits jsonb NOT NULL,
    details jsonb NOT NULL,
    rewarded_at timestamptz NOT NULL,
    claimed_at timestamptz,
    expires_at timestamptz,
    reversed_at timestamptz,
    transaction_id uuid NOT NULL,
    entry_from integer NOT NULL,
    entry_to integer NOT NULL,
    claim_transaction_id uuid,
    reversal_transaction_id uuid,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id),
    CHECK ((status = 'REVERSED') = (reversed_at IS NOT NULL)),
    CHECK ((claimed_at IS NULL) = (claim_transaction_id IS NULL))
) WITH (fillfactor = 85);
CREATE INDEX grants_by_organization ON grants (tenant_id, organization_id, id);
CREATE INDEX grants_by_member ON grants (tenant_id, member_id, id);
CREATE INDEX grants_by_action_code ON grants (tenant_id, organization_id, action_code, id)
    WHERE action_code IS NOT NULL;
CREATE INDEX grants_by_reward ON grants (tenant_id, reward_id, id) WHERE reward_id IS NOT NULL;
CREATE TABLE coupon_assignments (
    tenant_id uuid NOT NULL,
    reward_id uuid NOT NULL,
    member_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    PRIMARY KEY (tenant_id, reward_id, member_id)
);
CREATE TABLE issuances (
    tenant_id uuid NOT NULL,
    operation_id uuid NOT NULL,
    organization_id uuid NOT NULL,
    member_id uuid NOT NULL,
    request_id text NOT NULL,
    transaction_number text,
    notes text,
    brand text,
    till text,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, operation_id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE TABLE notifications (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    grant_id uuid NOT NULL,
    text text NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX notifications_by_member ON notifications (tenant_id, member_id, id);
"""


async def forwards() -> MigrationManager:
    """Create the tables."""
    return run_statements(
        migration_id=ID,
        description=DESCRIPTION,
        statements=(TENANTS, LEDGER, OPERATIONS, MEMBERS, CATALOG, GRANTS),
    )
