"""Mark a member's notifications as read; one round trip for any number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.storage.database import Connection

OWNED = """
SELECT id FROM notifications WHERE tenant_id = $1 AND member_id = $2 AND id = ANY($3::uuid[])
"""

# In id order, so that two requests of one member over the same messages cannot deadlock.
_MARK = """
WITH unread AS (
    SELECT id FROM notifications WHERE tenant_id = $1 AND member_id = $2 AND read_at IS NULL{only}
    ORDER BY id FOR UPDATE
)
UPDATE notifications SET read_at = $3 FROM unread WHERE notifications.tenant_id = $1 AND notifications.id = unread.id
"""
MARK_ALL = _MARK.format(only="")
MARK_SOME = _MARK.format(only=" AND id = ANY($4::uuid[])")


async def fetch_owned(
    connection: Connection, tenant_id: UUID, member_id: UUID, ids: Sequence[UUID]
) -> set[UUID]:
    """Return which of these notifications are the member's."""
    rows = await connection.fetch(OWNED, tenant_id, member_id, list(ids))
    return {row["id"] for row in rows}


async def mark_read(
    connection: Connection,
    tenant_id: UUID,
    member_id: UUID,
    ids: Sequence[UUID] | None,
    at: datetime,
) -> int:
    """Mark these, or all if None, of the member's unread notifications, and return how many that were."""
    if ids is None:
        done = await connection.execute(MARK_ALL, tenant_id, member_id, at)
    else:
        done = await connection.execute(MARK_SOME, tenant_id, member_id, at, list(ids))
    return int(done.rpartition(" ")[2])
