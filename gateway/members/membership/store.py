"""Members of groups and segments in the database. Each function is one round trip, whatever the number of members."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gateway.members.membership.model import MemberSet
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds

# Two changes of one set wait for each other here, so that each counts what it really did.
LOCK: Mapping[MemberSet, str] = {
    MemberSet.GROUP: """
        SELECT organization_id, primary_member_id FROM groups
        WHERE tenant_id = $1 AND organization_id = ANY($2::uuid[]) AND id = $3
        FOR NO KEY UPDATE
    """,
    MemberSet.SEGMENT: """
        SELECT organization_id, NULL::uuid AS primary_member_id FROM segments
        WHERE tenant_id = $1 AND organization_id = ANY($2::uuid[]) AND id = $3
        FOR NO KEY UPDATE
    """,
}

UNKNOWN = """
SELECT id FROM unnest($2::uuid[]) AS given (id)
WHERE NOT EXISTS (SELECT FROM members WHERE tenant_id = $1 AND members.id = given.id)
"""

_ADD = """
INSERT INTO {table} (tenant_id, {owner}, member_id, created_at)
SELECT $1, $2, id, $4 FROM unnest($3::uuid[]) AS given (id) ORDER BY id
ON CONFLICT (tenant_id, {owner}, member_id) DO NOTHING
"""

_REMOVE = (
    "DELETE FROM {table} WHERE tenant_id = $1 AND {owner} = $2 AND member_id = ANY($3::uuid[])"
)

_KEEP = "DELETE FROM {table} WHERE tenant_id = $1 AND {owner} = $2 AND member_id NOT IN (SELECT unnest($3::uuid[]))"

# A member's place in the list is its id, which is in order of time.
_PAGES = """
SELECT set_id, listed.member_id FROM unnest($2::uuid[]) AS wanted (set_id)
CROSS JOIN LATERAL (
    SELECT member_id FROM {table}
    WHERE tenant_id = $1 AND {owner} = wanted.set_id AND member_id < $3 AND member_id > $4
    ORDER BY member_id DESC LIMIT $5
) AS listed
ORDER BY listed.member_id DESC
"""

_COUNT = """
SELECT {owner} AS set_id, count(*) AS member_count FROM {table} WHERE tenant_id = $1 AND {owner} = ANY($2::uuid[])
GROUP BY {owner}
"""

_TABLES = {
    MemberSet.GROUP: {"table": "group_members", "owner": "group_id"},
    MemberSet.SEGMENT: {"table": "segment_members", "owner": "segment_id"},
}


def _write(text: str) -> Mapping[MemberSet, str]:
    return {kind: text.format(**names) for kind, names in _TABLES.items()}


ADD, REMOVE, KEEP, COUNT = map(_write, (_ADD, _REMOVE, _KEEP, _COUNT))
PAGES = {False: _write(_PAGES), True: _write(_PAGES.replace(" DESC", ""))}


class LockedSet(NamedTuple):
    """Who owns a set, and the member who must stay in it."""

    organization_id: UUID
    primary_member_id: UUID | None


async def lock_set(
    connection: Connection,
    tenant_id: UUID,
    owner_ids: Iterable[UUID],
    kind: MemberSet,
    set_id: UUID,
) -> LockedSet | None:
    """Keep others from changing a set of one of these owners; None if there is none."""
    row = await connection.fetchrow(LOCK[kind], tenant_id, list(owner_ids), set_id)
    return None if row is None else LockedSet(*row)


async def find_unknown_members(
    connection: Connection, tenant_id: UUID, member_ids: Sequence[UUID]
) -> set[UUID]:
    """Return the ids that are no member's."""
    return {row["id"] for row in await connection.fetch(UNKNOWN, tenant_id, member_ids)}


async def add_members(
    connection: Connection,
    tenant_id: UUID,
    kind: MemberSet,
    set_id: UUID,
    member_ids: Sequence[UUID],
    at: datetime,
) -> int:
    """Put members into a set and return how many were not in it."""
    return _count(await connection.execute(ADD[kind], tenant_id, set_id, member_ids, at))


async def remove_members(
    connection: Connection,
    tenant_id: UUID,
    kind: MemberSet,
    set_id: UUID,
    member_ids: Sequence[UUID],
) -> int:
    """Take members out of a set and return how many were in it."""
    return _count(await connection.execute(REMOVE[kind], tenant_id, set_id, member_ids))


async def keep_members(
    connection: Connection,
    tenant_id: UUID,
    kind: MemberSet,
    set_id: UUID,
    member_ids: Sequence[UUID],
) -> int:
    """Take everybody else out of a set and return how many that were."""
    return _count(await connection.execute(KEEP[kind], tenant_id, set_id, member_ids))


async def fetch_set_pages(
    connection: Connection,
    tenant_id: UUID,
    kind: MemberSet,
    set_ids: Sequence[UUID],
    request: PageRequest[UUID],
) -> dict[UUID, Page[UUID]]:
    """Return the same page of each set's member ids, newest member first."""
    rows = await connection.fetch(
        PAGES[request.backwards][kind],
        tenant_id,
        list(set_ids),
        *id_bounds(request),
        request.fetch_limit,
    )
    members: dict[UUID, list[UUID]] = {set_id: [] for set_id in set_ids}
    for row in rows:
        members[row["set_id"]].append(row["member_id"])
    return {set_id: cut_page(request, listed) for set_id, listed in members.items()}


async def count_set_members(
    connection: Connection, tenant_id: UUID, kind: MemberSet, set_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """Return how many members each set has; every set asked for has a number."""
    rows = await connection.fetch(COUNT[kind], tenant_id, list(set_ids))
    counts: dict[Any, int] = {row["set_id"]: row["member_count"] for row in rows}
    return dict.fromkeys(set_ids, 0) | counts


def _count(tag: str) -> int:
    # PostgreSQL's command tag ends in the number of rows: "INSERT 0 3", "DELETE 2".
    return int(tag.rpartition(" ")[2])
