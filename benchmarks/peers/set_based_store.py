"""A distribution as one statement inside the server, on the gateway's own tables and indexes: the limit for batches.

It writes the same rows as `distributeRewards` does, and decides nothing: no rule is checked, no line can fail, and the chain of
hashes is left out (32 zero bytes stand in for each).
"""

from __future__ import annotations

DISTRIBUTE = """
WITH change (asset_id, issuance_account_id, amount_minor, position) AS (
    VALUES ($4::uuid, $5::uuid, 50::bigint, 0), ($6::uuid, $7::uuid, 100::bigint, 2)
), line AS MATERIALIZED (
    SELECT (sent.position - 1)::int AS index, known.member_id, uuidv7() AS grant_id
    FROM unnest($8::text[]) WITH ORDINALITY AS sent (value, position)
    JOIN member_identifiers AS known ON known.tenant_id = $1 AND known.kind = 'WALLET_ADDRESS' AND known.value = sent.value
), operation AS (
    INSERT INTO operations (tenant_id, partner_id, kind, key, id, organization_id, field_hashes, answer, created_at)
    SELECT $1, $3, 'DISTRIBUTE_REWARDS', $9::text, $10::uuid, $2, '{}',
        jsonb_build_object('lines', jsonb_agg(grant_id ORDER BY index)), now()
    FROM line
), posted AS (
    INSERT INTO ledger_transactions (tenant_id, id, kind, operation_id, occurred_at)
    VALUES ($1, $11::uuid, 'DISTRIBUTION', $10, now())
), announced AS (
    INSERT INTO outbox_events (tenant_id, transaction_id, kind, payload, created_at)
    VALUES ($1, $11, 'DISTRIBUTION', jsonb_build_object('requestId', $9), now())
), moved AS (
    UPDATE accounts SET posted_minor = posted_minor + change.amount_minor, entry_count = entry_count + 1,
        chain_hash = decode(repeat('00', 32), 'hex'), updated_at = now()
    FROM line CROSS JOIN change
    WHERE accounts.tenant_id = $1 AND accounts.owner_id = line.member_id AND accounts.asset_id = change.asset_id
        AND accounts.owner_kind = 'MEMBER'
    RETURNING accounts.id, accounts.asset_id, accounts.posted_minor, accounts.entry_count,
        line.index, line.grant_id, change.issuance_account_id, change.amount_minor, change.position
), entered AS (
    INSERT INTO ledger_entries (tenant_id, transaction_id, index, account_id, asset_id, amount_minor, grant_id, occurred_at,
        sequence, balance_after_minor, chain_hash)
    SELECT $1, $11, moved.index * 4 + moved.position + side.step,
        CASE side.step WHEN 0 THEN issuance_account_id ELSE id END, asset_id,
        CASE side.step WHEN 0 THEN -amount_minor ELSE amount_minor END, grant_id, now(),
        CASE side.step WHEN 1 THEN entry_count END, CASE side.step WHEN 1 THEN posted_minor END,
        CASE side.step WHEN 1 THEN decode(repeat('00', 32), 'hex') END
    FROM moved CROSS JOIN (VALUES (0), (1)) AS side (step)
), notified AS (
    INSERT INTO notifications (tenant_id, id, member_id, grant_id, text, created_at)
    SELECT $1, uuidv7(), member_id, grant_id, 'You have received a reward: 50 PTS, 100 XP', now() FROM line
)
INSERT INTO grants (tenant_id, id, organization_id, member_id, operation_id, line_index, source, kind, status, metadata, benefits,
    details, rewarded_at, claimed_at, transaction_id, entry_from, entry_to, claim_transaction_id)
SELECT $1, grant_id, $2, member_id, $10, index, 'DISTRIBUTION', 'CURRENCY', 'CLAIMED', '{}', jsonb_build_array(
        jsonb_build_object('kind', 'ASSET_CREDIT', 'asset_id', $4, 'amount_minor', 50),
        jsonb_build_object('kind', 'ASSET_CREDIT', 'asset_id', $6, 'amount_minor', 100)),
    '{}', now(), now(), $11, index * 4, index * 4 + 4, $11
FROM line
"""
