-- The tables of the peers that do not use the gateway's own: the same rows for the same work, tenant first as in the gateway,
-- and only the indexes that the peers' own statements need, as a team writing just these three endpoints would have them.
CREATE TABLE assets (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    code text NOT NULL,
    scale smallint NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE members (
    tenant_id uuid NOT NULL,
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
    PRIMARY KEY (tenant_id, kind, value),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE TABLE rewards (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    status text NOT NULL,
    asset_id uuid,
    amount_minor bigint,
    coupon_code text,
    price_asset_id uuid,
    price_minor bigint,
    PRIMARY KEY (tenant_id, id)
);
CREATE TABLE accounts (
    tenant_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    owner_kind text NOT NULL,
    posted_minor bigint NOT NULL CHECK (posted_minor >= 0),
    held_minor bigint NOT NULL DEFAULT 0,
    entry_count bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, owner_id, asset_id, owner_kind),
    FOREIGN KEY (tenant_id, asset_id) REFERENCES assets (tenant_id, id)
) WITH (fillfactor = 70);
CREATE TABLE operations (
    tenant_id uuid NOT NULL,
    partner_id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    fields jsonb NOT NULL,
    answer jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, partner_id, kind, key)
);
CREATE TABLE grants (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    member_id uuid NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    source text NOT NULL,
    reward_id uuid,
    reward_name text,
    asset_id uuid,
    amount_minor bigint,
    coupon_code text,
    price_minor bigint,
    action_code text,
    client_reference text,
    metadata jsonb NOT NULL,
    transaction_id uuid NOT NULL,
    rewarded_at timestamptz NOT NULL,
    claimed_at timestamptz,
    PRIMARY KEY (tenant_id, id),
    FOREIGN KEY (tenant_id, member_id) REFERENCES members (tenant_id, id)
);
CREATE INDEX grants_by_member ON grants (tenant_id, member_id, id);
CREATE TABLE entries (
    tenant_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    index integer NOT NULL,
    owner_kind text NOT NULL,
    owner_id uuid NOT NULL,
    asset_id uuid NOT NULL,
    amount_minor bigint NOT NULL,
    balance_after_minor bigint,
    grant_id uuid NOT NULL,
    occurred_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id, index)
);
CREATE INDEX entries_by_owner ON entries (tenant_id, owner_id, asset_id, occurred_at);
CREATE TABLE outbox_events (
    tenant_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    kind text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, transaction_id)
);
