"""Grants and codes whose time is over; each function is one round trip, whatever their number."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.grants.record import GrantRecord
from gateway.grants.store import COLUMNS, WRITTEN_NOW, to_record
from gateway.storage.database import Connection

# Cash that was claimed in time is the member's; only what names a code goes on to expire in their hands.
_DUE = """
tenant_id = $1 AND expires_at <= now() AND status IN ('CONFIRMED', 'CLAIMED')
    AND (status = 'CONFIRMED' OR kind <> 'CUSTOM')
"""

HAS_DUE = f"""
SELECT EXISTS (SELECT FROM grants WHERE {_DUE})
"""

# A grant that somebody is claiming or reversing is left for the next time.
LOCK_DUE = f"""
SELECT {COLUMNS} FROM grants WHERE {_DUE}
ORDER BY expires_at, id LIMIT $2 FOR UPDATE SKIP LOCKED
"""

MARK_EXPIRED = f"""
UPDATE grants SET status = 'EXPIRED', {WRITTEN_NOW} WHERE tenant_id = $1 AND id = ANY($2::uuid[])
"""

VOID_CODES = """
WITH due AS (
    SELECT pool_id, id FROM codes
    WHERE tenant_id = $1 AND expires_at <= now() AND status = 'FREE'
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE codes SET status = 'VOIDED' FROM due
WHERE codes.tenant_id = $1 AND codes.pool_id = due.pool_id AND codes.id = due.id
"""


# Each part is one look into an index for each tenant.
TENANTS_WITH_DUE = """
SELECT id FROM tenants
WHERE EXISTS (SELECT FROM holds JOIN reservations USING (tenant_id, id)
        WHERE holds.tenant_id = tenants.id AND holds.status = 'OPEN' AND expires_at <= now())
    OR EXISTS (SELECT FROM lots JOIN accounts ON accounts.tenant_id = lots.tenant_id AND accounts.id = account_id
        WHERE lots.tenant_id = tenants.id AND remaining_minor > 0 AND expires_at <= now() AND posted_minor > held_minor)
    OR EXISTS (SELECT FROM grants
        WHERE grants.tenant_id = tenants.id AND expires_at <= now() AND status IN ('CONFIRMED', 'CLAIMED')
            AND (status = 'CONFIRMED' OR kind <> 'CUSTOM'))
    OR EXISTS (SELECT FROM codes WHERE codes.tenant_id = tenants.id AND expires_at <= now() AND status = 'FREE')
    OR (SELECT expires_at FROM credentials WHERE credentials.tenant_id = tenants.id AND created_by IS NOT NULL
        ORDER BY expires_at LIMIT 1) < now() - interval '30 days'
"""


async def fetch_tenants_with_due(connection: Connection) -> list[UUID]:
    """Return the tenants in which something is due; for workers only, since it reads across tenants."""
    return [row["id"] for row in await connection.fetch(TENANTS_WITH_DUE)]


async def has_due_grants(connection: Connection, tenant_id: UUID) -> bool:
    """Tell whether any grant of the tenant is due; nothing is locked."""
    return bool(await connection.fetchval(HAS_DUE, tenant_id))


async def lock_due_grants(connection: Connection, tenant_id: UUID, limit: int) -> list[GrantRecord]:
    """Lock up to `limit` grants whose time is over, the longest over first, passing over those that others have locked."""
    return [to_record(row) for row in await connection.fetch(LOCK_DUE, tenant_id, limit)]


async def mark_expired(connection: Connection, tenant_id: UUID, ids: Sequence[UUID]) -> None:
    """Move locked grants to expired."""
    await connection.execute(MARK_EXPIRED, tenant_id, list(ids))


async def void_due_codes(connection: Connection, tenant_id: UUID, limit: int) -> int:
    """Void up to `limit` free codes whose time is over, and return how many that were."""
    done = await connection.execute(VOID_CODES, tenant_id, limit)
    return int(done.rpartition(" ")[2])
