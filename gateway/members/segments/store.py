"""Segments in the database. Each function is one round trip, whatever the number of segments, members or rewards."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from gateway.members.segments.model import Segment
from gateway.storage.count_store import count_up_to_max
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds

_COLUMNS = "segments.id, segments.organization_id, segments.name, segments.created_at"

INSERT = """
INSERT INTO segments (tenant_id, id, organization_id, name, created_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING
RETURNING id
"""

FETCH = f"""
SELECT {_COLUMNS} FROM segments WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($3::uuid[])
"""

PAGE = f"""
SELECT {_COLUMNS} FROM segments WHERE tenant_id = $1 AND organization_id = $2 AND id < $3 AND id > $4
ORDER BY id DESC LIMIT $5
"""
PAGE_BACKWARDS = PAGE.replace(" DESC", "")

COUNT = count_up_to_max("segments WHERE tenant_id = $1 AND organization_id = $2")

FETCH_OF_MEMBERS = f"""
SELECT member_id AS holder_id, {_COLUMNS}
FROM segment_members JOIN segments ON segments.tenant_id = $1 AND segments.id = segment_members.segment_id
WHERE segment_members.tenant_id = $1 AND member_id = ANY($3::uuid[]) AND organization_id = $2
ORDER BY segments.id
"""

FETCH_OF_REWARDS = f"""
SELECT reward_id AS holder_id, {_COLUMNS}
FROM reward_segments JOIN segments ON segments.tenant_id = $1 AND segments.id = reward_segments.segment_id
WHERE reward_segments.tenant_id = $1 AND reward_id = ANY($3::uuid[]) AND organization_id = $2
ORDER BY segments.id
"""


async def insert_segment(connection: Connection, tenant_id: UUID, segment: Segment) -> bool:
    """Write a segment without members; False if its organization has one of this name."""
    row = (segment.id, segment.organization_id, segment.name, segment.created_at)
    return bool(await connection.fetch(INSERT, tenant_id, *row))


async def fetch_segments(
    connection: Connection, tenant_id: UUID, organization_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, Segment]:
    """Return the organization's segments of these ids that exist, by id."""
    rows = await connection.fetch(FETCH, tenant_id, organization_id, list(ids))
    return {row["id"]: _to_segment(row) for row in rows}


async def fetch_segment_page(
    connection: Connection, tenant_id: UUID, organization_id: UUID, request: PageRequest[UUID]
) -> Page[Segment]:
    """Return a page of an organization's segments, newest first."""
    statement = PAGE_BACKWARDS if request.backwards else PAGE
    scope = (tenant_id, organization_id)
    rows = await connection.fetch(statement, *scope, *id_bounds(request), request.fetch_limit)
    return cut_page(request, [_to_segment(row) for row in rows])


async def count_segments(connection: Connection, tenant_id: UUID, organization_id: UUID) -> int:
    """Return how many segments an organization has."""
    count: int = await connection.fetchval(COUNT, tenant_id, organization_id)
    return count


async def fetch_segments_of_members(
    connection: Connection, tenant_id: UUID, organization_id: UUID, member_ids: Sequence[UUID]
) -> dict[UUID, list[Segment]]:
    """Return the organization's segments that each member is in, oldest first; every member asked for has a list."""
    return await _fetch_of(connection, FETCH_OF_MEMBERS, tenant_id, organization_id, member_ids)


async def fetch_segments_of_rewards(
    connection: Connection, tenant_id: UUID, organization_id: UUID, reward_ids: Sequence[UUID]
) -> dict[UUID, list[Segment]]:
    """Return the segments that each reward is reserved for, oldest first; every reward asked for has a list."""
    return await _fetch_of(connection, FETCH_OF_REWARDS, tenant_id, organization_id, reward_ids)


async def _fetch_of(
    connection: Connection,
    statement: str,
    tenant_id: UUID,
    organization_id: UUID,
    holder_ids: Sequence[UUID],
) -> dict[UUID, list[Segment]]:
    segments: dict[UUID, list[Segment]] = {holder_id: [] for holder_id in holder_ids}
    for row in await connection.fetch(statement, tenant_id, organization_id, list(holder_ids)):
        segments[row["holder_id"]].append(_to_segment(row))
    return segments


def _to_segment(row: asyncpg.Record) -> Segment:
    return Segment(row["id"], row["organization_id"], row["name"], row["created_at"])
