"""Groups in the database. Each function is one round trip unless it says otherwise, whatever the number of groups."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from gateway.members.groups.model import Group, GroupReference
from gateway.members.store import find_members
from gateway.storage.database import Connection

_COLUMNS = "id, name, external_id, primary_member_id, created_at"

INSERT = """
INSERT INTO groups (tenant_id, id, name, external_id, primary_member_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING
RETURNING id
"""

# Subqueries, not a join with OR: each place is one look-up in one index.
FIND = """
SELECT position, CASE
    WHEN wanted.id IS NOT NULL THEN (SELECT groups.id FROM groups WHERE tenant_id = $1 AND groups.id = wanted.id)
    WHEN wanted.external_id IS NOT NULL
        THEN (SELECT groups.id FROM groups WHERE tenant_id = $1 AND groups.external_id = wanted.external_id)
    ELSE (SELECT groups.id FROM groups WHERE tenant_id = $1 AND primary_member_id = wanted.member_id)
    END AS group_id
FROM unnest($2::uuid[], $3::text[], $4::uuid[]) WITH ORDINALITY AS wanted (id, external_id, member_id, position)
"""

FIND_WITH_MEMBER = f"""
SELECT found.position, found.group_id
FROM ({FIND}) AS found
JOIN group_members ON group_members.tenant_id = $1 AND group_members.group_id = found.group_id AND group_members.member_id = $5
"""

FETCH = f"SELECT {_COLUMNS} FROM groups WHERE tenant_id = $1 AND id = ANY($2::uuid[])"

FETCH_OF_MEMBERS = f"""
SELECT group_members.member_id AS holder_id, {_COLUMNS.replace("created_at", "groups.created_at")}
FROM group_members JOIN groups ON groups.tenant_id = $1 AND groups.id = group_members.group_id
WHERE group_members.tenant_id = $1 AND group_members.member_id = ANY($2::uuid[])
ORDER BY groups.id
"""


async def insert_group(connection: Connection, tenant_id: UUID, group: Group) -> bool:
    """Write a group without members; False if its external id or primary member has one."""
    rows = await connection.fetch(
        INSERT,
        tenant_id,
        group.id,
        group.name,
        group.external_id,
        group.primary_member_id,
        group.created_at,
    )
    return bool(rows)


async def find_groups(
    connection: Connection,
    tenant_id: UUID,
    wanted: Sequence[GroupReference],
    member_id: UUID | None = None,
) -> dict[GroupReference, UUID]:
    """Return the group that each reference names, leaving out those that name none, or none that the member is in.

    Round trips: one, and one more if a primary member names a group.
    """
    primaries = [group.primary_member for group in wanted if group.primary_member is not None]
    owners = dict(zip(primaries, await find_members(connection, tenant_id, primaries), strict=True))
    statement = FIND if member_id is None else FIND_WITH_MEMBER
    parameters = [] if member_id is None else [member_id]
    rows = await connection.fetch(
        statement,
        tenant_id,
        [group.id for group in wanted],
        [group.external_id for group in wanted],
        [owners.get(group.primary_member) if group.primary_member else None for group in wanted],
        *parameters,
    )
    return {wanted[row["position"] - 1]: row["group_id"] for row in rows if row["group_id"]}


async def fetch_groups(
    connection: Connection, tenant_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, Group]:
    """Return the groups of these ids that exist, by id."""
    rows = await connection.fetch(FETCH, tenant_id, list(ids))
    return {row["id"]: _to_group(row) for row in rows}


async def fetch_groups_of_members(
    connection: Connection, tenant_id: UUID, member_ids: Sequence[UUID]
) -> dict[UUID, list[Group]]:
    """Return the groups that each member is in, oldest first; every member asked for has a list."""
    groups: dict[UUID, list[Group]] = {member_id: [] for member_id in member_ids}
    for row in await connection.fetch(FETCH_OF_MEMBERS, tenant_id, list(member_ids)):
        groups[row["holder_id"]].append(_to_group(row))
    return groups


def _to_group(row: asyncpg.Record) -> Group:
    return Group(
        row["id"], row["name"], row["external_id"], row["primary_member_id"], row["created_at"]
    )
