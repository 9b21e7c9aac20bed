"""Lots of balances that expire: kept with every posting on them, listed, and found when they are due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.ledger.asset_scope_store import NO_SCOPE, AssetScope, seen
from gateway.ledger.balance import Lot
from gateway.ledger.model import Account, OwnerKind
from gateway.storage.database import Connection, column

# The accounts are locked, so nobody else changes their lots. `queue` has all lots of each account, old and new, the soonest
# expiring first; what was consumed is taken from its front: a lot keeps what of the running sum lies beyond that.
KEEP = """
WITH opened AS (
    SELECT * FROM unnest($2::uuid[], $3::bigint[], $4::bigint[], $5::timestamptz[])
        AS opened (account_id, sequence, amount_minor, expires_at)
), consumed AS (
    SELECT * FROM unnest($6::uuid[], $7::bigint[]) AS consumed (account_id, consumed_minor)
), queue AS (
    SELECT account_id, sequence, remaining_minor, expires_at, false AS is_new
    FROM consumed JOIN lots USING (account_id)
    WHERE lots.tenant_id = $1 AND remaining_minor > 0
    UNION ALL
    SELECT account_id, sequence, amount_minor, expires_at, true FROM opened
), summed AS (
    SELECT account_id, sequence, remaining_minor, is_new,
        sum(remaining_minor) OVER (PARTITION BY account_id ORDER BY expires_at, sequence) AS running_minor
    FROM queue
), kept AS (
    SELECT account_id, sequence, is_new, remaining_minor AS before_minor,
        greatest(0, least(remaining_minor, running_minor - coalesce(consumed_minor, 0)))::bigint AS remaining_minor
    FROM summed LEFT JOIN consumed USING (account_id)
), inserted AS (
    INSERT INTO lots (tenant_id, account_id, sequence, amount_minor, remaining_minor, expires_at)
    SELECT $1, account_id, sequence, amount_minor, remaining_minor, expires_at
    FROM opened JOIN kept USING (account_id, sequence)
)
UPDATE lots SET remaining_minor = kept.remaining_minor
FROM kept
WHERE lots.tenant_id = $1 AND lots.account_id = kept.account_id AND lots.sequence = kept.sequence
    AND NOT kept.is_new AND kept.remaining_minor <> kept.before_minor
"""

# Whose whole due remainder is held keeps it until the hold has ended.
FIND_DUE = """
SELECT DISTINCT account_id FROM (
    SELECT account_id FROM lots
    WHERE tenant_id = $1 AND remaining_minor > 0 AND expires_at <= now()
        AND EXISTS (SELECT FROM accounts
            WHERE accounts.tenant_id = $1 AND accounts.id = lots.account_id AND posted_minor > held_minor
            OFFSET 0)
    ORDER BY expires_at LIMIT $2
) AS due
"""

# An account that somebody is posting on is left for the next time.
LOCK_DUE = """
SELECT id, asset_id, owner_kind, owner_id FROM accounts
WHERE tenant_id = $1 AND id = ANY($2::uuid[])
ORDER BY id FOR UPDATE SKIP LOCKED
"""

SUM_DUE = """
SELECT account_id, sum(remaining_minor)::bigint FROM lots
WHERE tenant_id = $1 AND account_id = ANY($2::uuid[]) AND remaining_minor > 0 AND expires_at <= $3
GROUP BY account_id
"""

NEXT = f"""
SELECT wanted.member_id, accounts.asset_id, upcoming.expires_at, upcoming.amount_minor
FROM unnest($2::uuid[]) AS wanted (member_id)
JOIN accounts ON accounts.tenant_id = $1 AND accounts.owner_id = wanted.member_id AND accounts.owner_kind = 'MEMBER'
    AND accounts.expires_after_days IS NOT NULL AND ($3::uuid IS NULL OR accounts.asset_id = $3)
    AND {seen("accounts.asset_id", 5)}
CROSS JOIN LATERAL (
    SELECT expires_at, sum(remaining_minor)::bigint AS amount_minor FROM lots
    WHERE tenant_id = $1 AND account_id = accounts.id AND remaining_minor > 0
    GROUP BY expires_at ORDER BY expires_at LIMIT $4
) AS upcoming
ORDER BY upcoming.expires_at, accounts.asset_id
"""


@dataclass(frozen=True, slots=True)
class Expiration:
    """What of one asset expires at one time unless it is spent before. Units: minor."""

    asset_id: UUID
    amount_minor: int
    expires_at: datetime


async def keep_lots(
    connection: Connection, tenant_id: UUID, opened: Sequence[Lot], consumed: Mapping[UUID, int]
) -> None:
    """Add lots, and take what was consumed of each account from its soonest expiring ones; the accounts are locked."""
    await connection.write(
        KEEP,
        tenant_id,
        column(opened, "account_id"),
        column(opened, "sequence"),
        column(opened, "amount_minor"),
        column(opened, "expires_at"),
        list(consumed),
        list(consumed.values()),
    )


async def find_due_accounts(connection: Connection, tenant_id: UUID, limit: int) -> list[UUID]:
    """Return the accounts of up to `limit` due lots, the longest due first, that are not wholly held; nothing is locked."""
    return [row["account_id"] for row in await connection.fetch(FIND_DUE, tenant_id, limit)]


async def lock_due_accounts(
    connection: Connection, tenant_id: UUID, ids: Sequence[UUID]
) -> list[Account]:
    """Lock those of the accounts that nobody else has locked, in account order."""
    rows = await connection.fetch(LOCK_DUE, tenant_id, list(ids))
    return [Account(row["asset_id"], OwnerKind(row["owner_kind"]), row["owner_id"]) for row in rows]


async def sum_due(
    connection: Connection, tenant_id: UUID, ids: Sequence[UUID], at: datetime
) -> dict[UUID, int]:
    """Return how much of each locked account has expired; accounts of which nothing has are left out."""
    return dict(map(tuple, await connection.fetch(SUM_DUE, tenant_id, list(ids), at)))


async def fetch_next_expirations(
    connection: Connection,
    tenant_id: UUID,
    member_ids: Sequence[UUID],
    asset_id: UUID | None,
    limit: int,
    scope: AssetScope | None = None,
) -> dict[UUID, list[Expiration]]:
    """Return what of each member's balances in the scope expires next, the soonest first; every member asked for has a list."""
    upcoming: dict[UUID, list[Expiration]] = {member_id: [] for member_id in member_ids}
    seen_by = scope or NO_SCOPE
    rows = await connection.fetch(NEXT, tenant_id, list(member_ids), asset_id, limit, *seen_by)
    for member_id, of_asset, expires_at, amount_minor in rows:
        if len(upcoming[member_id]) < limit:
            upcoming[member_id].append(Expiration(of_asset, amount_minor, expires_at))
    return upcoming
