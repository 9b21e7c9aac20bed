"""Groups in the database. Each function is one round trip unless it says otherwise, whatever the number of groups."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from gateway.members.groups.model import Group, GroupReference
from gateway.members.store import find_members
from gateway.storage.database import Connection

_COLUMNS = (
    "groups.id, groups.organization_id, name, external_id, primary_member_id, groups.created_at"
)

INSERT = """
INSERT INTO groups (tenant_id, id, organization_id, name, external_id, primary_member_id, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT DO NOTHING
RETURNING id
"""

# Each way to name a group is one look-up by all columns of one index, for each owner where owners may use the same name; OFFSET
# keeps the planner from joining instead. The first owner of the list counts.
_BY_NAME = """
SELECT named.id, owner.id AS organization_id, place
FROM unnest($2::uuid[]) WITH ORDINALITY AS owner (id, place)
CROSS JOIN LATERAL (
    SELECT groups.id FROM groups WHERE tenant_id = $1 AND organization_id = owner.id AND {name} OFFSET 0
) AS named
"""
_FOUND = f"""
SELECT id, organization_id, 1 AS place
FROM (SELECT groups.id, organization_id FROM groups WHERE tenant_id = $1 AND groups.id = wanted.id OFFSET 0) AS by_id
WHERE organization_id = ANY($2::uuid[])
UNION ALL {_BY_NAME.format(name="external_id = wanted.external_id")}
UNION ALL {_BY_NAME.format(name="primary_member_id = wanted.member_id")}
"""
_FIND = f"""
SELECT position, found.id, found.organization_id
FROM unnest($3::uuid[], $4::text[], $5::uuid[]) WITH ORDINALITY AS wanted (id, external_id, member_id, position)
CROSS JOIN LATERAL (SELECT id, organization_id FROM ({_FOUND}) AS named {{condition}} ORDER BY place LIMIT 1) AS found
"""
FIND = _FIND.format(condition="")
FIND_WITH_MEMBER = _FIND.format(
    condition="WHERE (SELECT true FROM group_members WHERE tenant_id = $1 AND group_id = named.id AND group_members.member_id = $6)"
)

FETCH = f"""
SELECT {_COLUMNS} FROM groups WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND organization_id = ANY($3::uuid[])
"""

FETCH_OF_MEMBERS = f"""
SELECT group_members.member_id AS holder_id, {_COLUMNS}
FROM group_members JOIN groups ON groups.tenant_id = $1 AND groups.id = group_members.group_id
WHERE group_members.tenant_id = $1 AND group_members.member_id = ANY($2::uuid[])
    AND ($3::uuid[] IS NULL OR groups.organization_id = ANY($3))
ORDER BY groups.id
"""


class FoundGroup(NamedTuple):
    """A group that was named, and the organization that owns it."""

    id: UUID
    organization_id: UUID


def search_order(home_id: UUID, others: Iterable[UUID]) -> list[UUID]:
    """Return the organizations whose groups can be named, in the order in which a name that several use is looked up."""
    return [home_id, *sorted(set(others) - {home_id})]


async def insert_group(connection: Connection, tenant_id: UUID, group: Group) -> bool:
    """Write a group without members; False if its external id or primary member has one of its organization."""
    rows = await connection.fetch(
        INSERT,
        tenant_id,
        group.id,
        group.organization_id,
        group.name,
        group.external_id,
        group.primary_member_id,
        group.created_at,
    )
    return bool(rows)


async def find_groups(
    connection: Connection,
    tenant_id: UUID,
    owner_ids: Sequence[UUID],
    wanted: Sequence[GroupReference],
    member_id: UUID | None = None,
) -> dict[GroupReference, FoundGroup]:
    """Return the group that each reference names among those of these owners, leaving out references that name none.

    With a member, only groups that the member is in count. Round trips: one, and one more if a primary member names a group.
    """
    primaries = [group.primary_member for group in wanted if group.primary_member is not None]
    members = dict(
        zip(primaries, await find_members(connection, tenant_id, primaries), strict=True)
    )
    statement = FIND if member_id is None else FIND_WITH_MEMBER
    parameters = [] if member_id is None else [member_id]
    rows = await connection.fetch(
        statement,
        tenant_id,
        list(owner_ids),
        [group.id for group in wanted],
        [group.external_id for group in wanted],
        [members.get(group.primary_member) if group.primary_member else None for group in wanted],
        *parameters,
    )
    return {
        wanted[row["position"] - 1]: FoundGroup(row["id"], row["organization_id"]) for row in rows
    }


async def fetch_groups(
    connection: Connection, tenant_id: UUID, owner_ids: Iterable[UUID], ids: Sequence[UUID]
) -> dict[UUID, Group]:
    """Return the groups of these ids that exist and are one of these owners', by id."""
    rows = await connection.fetch(FETCH, tenant_id, list(ids), list(owner_ids))
    return {row["id"]: _to_group(row) for row in rows}


async def fetch_groups_of_members(
    connection: Connection,
    tenant_id: UUID,
    owner_ids: Iterable[UUID] | None,
    member_ids: Sequence[UUID],
) -> dict[UUID, list[Group]]:
    """Return the groups that each member is in, oldest first; every member asked for has a list.

    Of these owners only; None stands for any.
    """
    owners = None if owner_ids is None else list(owner_ids)
    groups: dict[UUID, list[Group]] = {member_id: [] for member_id in member_ids}
    for row in await connection.fetch(FETCH_OF_MEMBERS, tenant_id, list(member_ids), owners):
        groups[row["holder_id"]].append(_to_group(row))
    return groups


def _to_group(row: asyncpg.Record) -> Group:
    return Group(
        row["id"],
        row["organization_id"],
        row["name"],
        row["external_id"],
        row["primary_member_id"],
        row["created_at"],
    )
