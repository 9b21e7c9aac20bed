"""The segments that rewards are reserved for. Each function is one round trip, whatever the number of segments."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.storage.database import Connection

FETCH_KNOWN = """
SELECT id FROM segments WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($3::uuid[])
"""

# What is not named goes, what is named stays or comes: the two touch different rows.
REPLACE = """
WITH removed AS (
    DELETE FROM reward_segments WHERE tenant_id = $1 AND reward_id = $2 AND segment_id <> ALL($3::uuid[])
)
INSERT INTO reward_segments (tenant_id, reward_id, segment_id)
SELECT $1, $2, id FROM unnest($3::uuid[]) AS given (id) ORDER BY id
ON CONFLICT (tenant_id, reward_id, segment_id) DO NOTHING
"""


async def fetch_known_segments(
    connection: Connection, tenant_id: UUID, organization_id: UUID, segment_ids: Sequence[UUID]
) -> set[UUID]:
    """Return which of these are ids of the organization's segments."""
    rows = await connection.fetch(FETCH_KNOWN, tenant_id, organization_id, segment_ids)
    return {row["id"] for row in rows}


async def replace_segments(
    connection: Connection, tenant_id: UUID, reward_id: UUID, segment_ids: Sequence[UUID]
) -> None:
    """Reserve a reward for these segments; for everybody, if there are none."""
    await connection.execute(REPLACE, tenant_id, reward_id, segment_ids)
