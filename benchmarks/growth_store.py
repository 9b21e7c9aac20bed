"""The statements that build a long history of distributions quickly, on the gateway's own tables.

Every member has as many grants, spread evenly over time; a last one, the whale, has many more. Each grant has four entries:
points and experience points, from issuance to the member. Balances and sequences are right; hashes are 32 zero bytes.
"""

from __future__ import annotations

STAGE = """
CREATE TEMPORARY TABLE staged_members (
    number int PRIMARY KEY, id uuid NOT NULL, points_account_id uuid NOT NULL, experience_account_id uuid NOT NULL);
CREATE TEMPORARY TABLE staged_batches (
    number int PRIMARY KEY, transaction_id uuid NOT NULL, operation_id uuid NOT NULL, at timestamptz NOT NULL);
CREATE TEMPORARY TABLE staged_grants (
    number bigint NOT NULL, id uuid NOT NULL, batch int NOT NULL, line int NOT NULL, member int NOT NULL, sequence int NOT NULL);
"""

# A batch every ten seconds up to now.
STAGE_BATCHES = """
INSERT INTO staged_batches (number, transaction_id, operation_id, at)
SELECT number, uuidv7((number - $1::int) * interval '10 seconds'), uuidv7((number - $1) * interval '10 seconds'),
    now() + (number - $1) * interval '10 seconds'
FROM generate_series(0, $1 - 1) AS number
"""

# $1 grants, $2 lines in a batch, $3 members; then the whale's $4 grants, in the last batches.
STAGE_GRANTS = """
INSERT INTO staged_grants (number, id, batch, line, member, sequence)
SELECT n, uuidv7(staged_batches.at - now()), staged_batches.number, n % $2::int, n % $3::int, n / $3 + 1
FROM generate_series(0, $1::bigint - 1) AS n
JOIN staged_batches ON staged_batches.number = n / $2
ORDER BY n
"""
STAGE_WHALE = """
INSERT INTO staged_grants (number, id, batch, line, member, sequence)
SELECT n, uuidv7(staged_batches.at - now()), staged_batches.number, n % $2::int, $3::int, n - $1 + 1
FROM generate_series($1::bigint, $1 + $4::bigint - 1) AS n
JOIN staged_batches ON staged_batches.number = n / $2
ORDER BY n
"""

INSERT_OPERATIONS = """
INSERT INTO operations (tenant_id, partner_id, kind, key, id, organization_id, field_hashes, answer, created_at)
SELECT $1, $3, 'DISTRIBUTE_REWARDS', 'batch-' || number, operation_id, $2, '{}', '{}', at FROM staged_batches
"""
INSERT_TRANSACTIONS = """
INSERT INTO ledger_transactions (tenant_id, id, kind, operation_id, occurred_at)
SELECT $1, transaction_id, 'DISTRIBUTION', operation_id, at FROM staged_batches
"""
INSERT_EVENTS = """
INSERT INTO outbox_events (tenant_id, transaction_id, kind, payload, created_at)
SELECT $1, transaction_id, 'DISTRIBUTION', '{}', at FROM staged_batches
"""

# $2 and $3 are points and experience points, $4 and $5 their issuance accounts.
INSERT_ENTRIES = """
INSERT INTO ledger_entries (tenant_id, transaction_id, index, account_id, asset_id, amount_minor, grant_id, occurred_at,
    sequence, balance_after_minor, chain_hash)
SELECT $1, batch.transaction_id, granted.line * 4 + side.position, side.account_id, side.asset_id, side.amount_minor,
    granted.id, batch.at,
    CASE WHEN side.amount_minor > 0 THEN granted.sequence END,
    CASE WHEN side.amount_minor > 0 THEN granted.sequence * side.amount_minor END,
    CASE WHEN side.amount_minor > 0 THEN decode(repeat('00', 32), 'hex') END
FROM staged_grants AS granted
JOIN staged_batches AS batch ON batch.number = granted.batch
JOIN staged_members AS member ON member.number = granted.member
CROSS JOIN LATERAL (VALUES
    (0, $4::uuid, $2::uuid, -50::bigint), (1, points_account_id, $2, 50),
    (2, $5::uuid, $3::uuid, -100), (3, experience_account_id, $3, 100)
) AS side (position, account_id, asset_id, amount_minor)
"""

INSERT_GRANTS = """
INSERT INTO grants (tenant_id, id, organization_id, member_id, operation_id, line_index, source, kind, status, metadata, benefits,
    details, rewarded_at, claimed_at, transaction_id, entry_from, entry_to, claim_transaction_id)
SELECT $1, granted.id, $2, member.id, batch.operation_id, granted.line, 'DISTRIBUTION', 'CURRENCY', 'CLAIMED', '{}',
    $3::text::jsonb, '{}', batch.at, batch.at, batch.transaction_id, granted.line * 4, granted.line * 4 + 4, batch.transaction_id
FROM staged_grants AS granted
JOIN staged_batches AS batch ON batch.number = granted.batch
JOIN staged_members AS member ON member.number = granted.member
"""

INSERT_ACCOUNTS = """
INSERT INTO accounts (tenant_id, id, asset_id, owner_kind, owner_id, posted_minor, held_minor, entry_count, chain_hash, updated_at)
SELECT $1, account.id, account.asset_id, 'MEMBER', member.id, granted.count * account.amount_minor, 0, granted.count,
    decode(repeat('00', 32), 'hex'), now()
FROM staged_members AS member
JOIN (SELECT member, count(*) FROM staged_grants GROUP BY member) AS granted ON granted.member = member.number
CROSS JOIN LATERAL (VALUES (points_account_id, $2::uuid, 50), (experience_account_id, $3::uuid, 100)
) AS account (id, asset_id, amount_minor)
"""

# Keys and indexes of the two large tables, and references to them, are made again after the rows: several times faster.
# Keys come before the references that need them.
LIST_KEYS = """
SELECT conrelid::regclass::text AS owner, conname AS name, pg_get_constraintdef(oid) AS definition
FROM pg_constraint
WHERE conrelid = ANY($1::regclass[]) AND contype = 'p' OR confrelid = ANY($1::regclass[]) AND contype = 'f'
ORDER BY contype = 'f'
"""
LIST_INDEXES = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index WHERE indrelid = ANY($1::regclass[]) AND NOT indisprimary
"""
LARGE_TABLES = ("ledger_entries", "grants")
LOADING_SETTINGS = """
SET session_replication_role = replica;
SET maintenance_work_mem = '512MB';
SET work_mem = '256MB';
SET jit = off
"""
AFTERWARDS = ("VACUUM (ANALYZE)", "CHECKPOINT")
