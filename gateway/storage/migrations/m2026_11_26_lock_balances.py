"""Balances are made and locked in one round trip: what takes up to three statements runs inside the server.

The first locks where every account exists. Where some account is missing it locks none; the second makes those, and the first is sent
again, each on a snapshot of its own (docs/decisions/0032-locks-on-balances.md says why no two of them can wait for each other).
"""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from gateway.storage.migration_statements import run_statements

ID = "2026-11-26T02:00:00:000000"
VERSION = "1.38.0"
DESCRIPTION = "lock balances"

LOCK_BALANCES = """
CREATE FUNCTION lock_balances(
    tenant uuid, wanted_ids uuid[], asset_ids uuid[], owner_kinds text[], owner_ids uuid[], chain_start bytea, made_at timestamptz
) RETURNS TABLE (
    id uuid, posted_minor bigint, held_minor bigint, entry_count bigint, chain_hash bytea, debt_minor bigint,
    expires_after_days integer, updated_at timestamptz
) LANGUAGE plpgsql AS $function$
#variable_conflict use_column
BEGIN
    FOR attempt IN 1..2 LOOP
        RETURN QUERY
        SELECT accounts.id, posted_minor, held_minor, entry_count, chain_hash, debt_minor, expires_after_days, updated_at
        FROM unnest(wanted_ids) AS wanted (wanted_id) JOIN accounts ON tenant_id = tenant AND accounts.id = wanted_id
        WHERE (
            SELECT count(*) FROM unnest(wanted_ids) AS named (named_id)
            JOIN accounts ON tenant_id = tenant AND accounts.id = named_id
        ) = cardinality(wanted_ids)
        ORDER BY owner_kind = 'BUDGET', accounts.id
        FOR NO KEY UPDATE OF accounts;
        EXIT WHEN FOUND;
        INSERT INTO accounts (tenant_id, id, asset_id, owner_kind, owner_id,
            posted_minor, held_minor, entry_count, chain_hash, updated_at, expires_after_days)
        SELECT tenant, wanted.id, asset_id, owner_kind, owner_id, 0, 0, 0, chain_start, made_at, expiring.expires_after_days
        FROM unnest(wanted_ids, asset_ids, owner_kinds, owner_ids) AS wanted (id, asset_id, owner_kind, owner_id)
        LEFT JOIN (
            SELECT id, expires_after_days FROM assets WHERE tenant_id = tenant AND expires_after_days IS NOT NULL
        ) AS expiring ON expiring.id = asset_id AND owner_kind IN ('MEMBER', 'GROUP')
        WHERE NOT EXISTS (SELECT FROM accounts WHERE accounts.tenant_id = tenant AND accounts.id = wanted.id)
        ORDER BY wanted.id
        ON CONFLICT (tenant_id, id) DO NOTHING;
    END LOOP;
END
$function$
"""


async def forwards() -> MigrationManager:
    """Add the function."""
    return run_statements(migration_id=ID, description=DESCRIPTION, statements=(LOCK_BALANCES,))
