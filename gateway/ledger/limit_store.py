"""The daily limits of credentials. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.ledger.limits import DailyLimit, DailyLimits
from gateway.storage.database import Connection, column

# All of a credential's, in one order: two that issue with the same credential cannot deadlock.
LOCK = """
SELECT asset_id, assets.code, assets.scale, maximum_minor, used_minor, day
FROM credential_limits JOIN assets ON assets.tenant_id = credential_limits.tenant_id AND assets.id = asset_id
WHERE credential_limits.tenant_id = $1 AND credential_id = $2
ORDER BY asset_id FOR NO KEY UPDATE OF credential_limits
"""

COUNT = """
UPDATE credential_limits SET used_minor = counted.used_minor, day = counted.day
FROM unnest($3::uuid[], $4::bigint[], $5::date[]) AS counted (asset_id, used_minor, day)
WHERE credential_limits.tenant_id = $1 AND credential_id = $2 AND credential_limits.asset_id = counted.asset_id
"""

# What was used today stays used, also when the limit is changed. In the order of LOCK.
SET = """
INSERT INTO credential_limits (tenant_id, credential_id, asset_id, maximum_minor, used_minor, day)
SELECT $1, $2, asset_id, maximum_minor, 0, $5
FROM unnest($3::uuid[], $4::bigint[]) AS wanted (asset_id, maximum_minor) ORDER BY asset_id
ON CONFLICT (tenant_id, credential_id, asset_id) DO UPDATE SET maximum_minor = excluded.maximum_minor
"""

REMOVE = """
DELETE FROM credential_limits WHERE tenant_id = $1 AND credential_id = $2 AND asset_id = ANY($3::uuid[])
"""

FETCH_ALL = """
SELECT credential_id, asset_id, assets.code, assets.scale, maximum_minor, used_minor, day
FROM credential_limits JOIN assets ON assets.tenant_id = credential_limits.tenant_id AND assets.id = asset_id
WHERE credential_limits.tenant_id = $1 ORDER BY credential_id, assets.code
"""


async def lock_limits(
    connection: Connection, tenant_id: UUID, credential_id: UUID, at: datetime
) -> DailyLimits:
    """Lock a credential's limits until the database transaction ends, as they are on the day of `at`.

    Before any balance: whoever waits here keeps nobody else waiting.
    """
    rows = await connection.fetch(LOCK, tenant_id, credential_id)
    limits = [DailyLimit(*row) for row in rows]
    for limit in limits:
        limit.begin_day(at.date())
    return DailyLimits(credential_id, limits)


async def write_used(connection: Connection, tenant_id: UUID, limits: DailyLimits) -> None:
    """Write what is used of the locked limits."""
    counted = list(limits.by_asset.values())
    await connection.execute(
        COUNT,
        tenant_id,
        limits.credential_id,
        column(counted, "asset_id"),
        column(counted, "used_minor"),
        column(counted, "day"),
    )


async def set_limits(
    connection: Connection,
    tenant_id: UUID,
    credential_id: UUID,
    maxima_minor: Sequence[tuple[UUID, int]],
    at: datetime,
) -> None:
    """Set a credential's limits of these assets; those of others stay."""
    asset_ids, maxima = zip(*maxima_minor, strict=True)
    await connection.execute(SET, tenant_id, credential_id, asset_ids, maxima, at.date())


async def remove_limits(
    connection: Connection, tenant_id: UUID, credential_id: UUID, asset_ids: Sequence[UUID]
) -> None:
    """Let a credential issue any amount of these assets again."""
    await connection.execute(REMOVE, tenant_id, credential_id, list(asset_ids))


async def fetch_limits(connection: Connection, tenant_id: UUID) -> dict[UUID, list[DailyLimit]]:
    """Return the limits of every credential of the tenant that has any."""
    limits: dict[UUID, list[DailyLimit]] = {}
    for row in await connection.fetch(FETCH_ALL, tenant_id):
        credential_id, *values = row
        limits.setdefault(credential_id, []).append(DailyLimit(*values))
    return limits
