"""Notifications of a distribution, in one statement for any number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.grants.record import GrantRecord
from gateway.ids import new_ids
from gateway.storage.database import Connection, column

INSERT = """
INSERT INTO notifications (tenant_id, id, member_id, grant_id, text, created_at)
SELECT $1, id, member_id, grant_id, text, $6
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[]) AS written (id, member_id, grant_id, text)
"""


async def insert_notifications(
    connection: Connection,
    tenant_id: UUID,
    grants: Sequence[GrantRecord],
    texts: Sequence[str],
    at: datetime,
) -> None:
    """Write one notification per grant, to its member."""
    await connection.write(
        INSERT,
        tenant_id,
        new_ids(len(grants)),
        column(grants, "member_id"),
        column(grants, "id"),
        list(texts),
        at,
    )
