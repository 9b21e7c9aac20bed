"""Members and identifiers in the database. Each function is one round trip, whatever the number of members."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from uuid import UUID

from gateway.ids import UUID_PATTERN, to_uuid
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import Identifier, Member, NewMember
from gateway.storage import tables
from gateway.storage.database import Connection, run
from gateway.storage.union_store import Question, Rows, Select, ask

# Arrays of values, not joins: however large the tenant and whatever the planner knows, each array is one walk through the
# primary key, which goes down from its root only where the next value is not on the same page (PostgreSQL 17 and later).
FIND_BY_ID = """
SELECT NULL AS kind, id::text AS value, id AS member_id FROM members WHERE tenant_id = $1 AND id = ANY($2::uuid[])
"""
FIND_BY_IDENTIFIER = """
SELECT kind, value, member_id FROM member_identifiers
WHERE tenant_id = $1 AND kind = ${kind} AND value = ANY(${values}::text[])
"""

FETCH_MEMBERS = Select(
    "SELECT id, display_name, created_at, organization_id FROM members WHERE tenant_id = $1 AND id = ANY($2::uuid[])",
    {"id": "uuid", "display_name": "text", "created_at": "timestamptz", "organization_id": "uuid"},
)

FETCH_IDENTIFIERS = """
SELECT member_id, kind, value FROM member_identifiers
WHERE tenant_id = $1 AND member_id = ANY($2::uuid[])
ORDER BY member_id, created_at, kind, value
"""

# Identifiers in one order: two batches that share some then wait for each other instead of deadlocking.
INSERT = """
WITH new_members AS (
    INSERT INTO members (tenant_id, id, display_name, created_at, organization_id)
    SELECT $1, id, display_name, $7, $8 FROM unnest($2::uuid[], $3::text[]) AS given (id, display_name)
)
INSERT INTO member_identifiers (tenant_id, kind, value, member_id, created_at)
SELECT $1, kind, value, member_id, $7
FROM unnest($4::text[], $5::text[], $6::uuid[]) AS given (kind, value, member_id)
ORDER BY kind, value
ON CONFLICT (tenant_id, kind, value) DO NOTHING
RETURNING kind, value
"""

LOCK_MEMBER = """
SELECT id, display_name, created_at, organization_id FROM members WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
"""


async def find_members(
    connection: Connection, tenant_id: UUID, wanted: Sequence[tuple[IdentifierKind | None, str]]
) -> list[UUID | None]:
    """Return the member whom each reference names, in order; None where it names nobody in this tenant.

    Shapes: any number of references, repeats allowed. A kind of None goes with the text of a member's UUID; the other
    values are normalized.
    """
    values: dict[IdentifierKind | None, list[str]] = defaultdict(list)
    for kind, value in wanted:
        values[kind].append(value)
    ids = list(map(to_uuid, filter(UUID_PATTERN.fullmatch, values.pop(None, ()))))
    arguments: list[object] = [ids] if ids else []
    for kind_and_values in values.items():
        arguments += kind_and_values
    if not arguments:
        return [None] * len(wanted)
    statement = find_statement(len(values), by_id=bool(ids))
    rows = await connection.fetch(statement, tenant_id, *arguments)
    known = {(kind, value): member_id for kind, value, member_id in rows}
    return [known.get(reference) for reference in wanted]


@cache
def find_statement(kind_count: int, *, by_id: bool) -> str:
    """Return the statement that finds members by identifiers of so many kinds, and by id."""
    first = 3 if by_id else 2
    parts = [
        FIND_BY_IDENTIFIER.format(kind=place, values=place + 1)
        for place in range(first, first + 2 * kind_count, 2)
    ]
    return "UNION ALL".join([FIND_BY_ID, *parts] if by_id else parts)


async def fetch_members(
    connection: Connection, tenant_id: UUID, member_ids: Sequence[UUID]
) -> dict[UUID, Member]:
    """Return the members of these ids that exist, by id."""
    return await ask(connection, ask_members(tenant_id, member_ids))


def ask_members(tenant_id: UUID, member_ids: Sequence[UUID]) -> Question[dict[UUID, Member]]:
    """Return the question for the members of these ids that exist, by id."""
    return Question(FETCH_MEMBERS, (tenant_id, member_ids), _take_members)


def _take_members(rows: Rows) -> dict[UUID, Member]:
    return {member_id: Member(member_id, *columns) for member_id, *columns in rows}


async def fetch_identifiers(
    connection: Connection, tenant_id: UUID, member_ids: Sequence[UUID]
) -> dict[UUID, list[Identifier]]:
    """Return the identifiers of each of these members, oldest first; every id asked for has a list."""
    identifiers: dict[UUID, list[Identifier]] = {member_id: [] for member_id in member_ids}
    for member_id, kind, value in await connection.fetch(FETCH_IDENTIFIERS, tenant_id, member_ids):
        identifiers[member_id].append(Identifier(IdentifierKind(kind), value))
    return identifiers


async def insert_members(
    connection: Connection,
    tenant_id: UUID,
    organization_id: UUID,
    members: Sequence[NewMember],
    at: datetime,
) -> set[Identifier]:
    """Insert an organization's members with their identifiers and return the identifiers that others had, which stay theirs.

    Waits for a database transaction that is inserting one of the same identifiers.
    """
    owned = [(identifier, member.id) for member in members for identifier in member.identifiers]
    return await _insert(connection, tenant_id, organization_id, members, owned, at)


async def insert_identifiers(
    connection: Connection,
    tenant_id: UUID,
    member_id: UUID,
    identifiers: Sequence[Identifier],
    at: datetime,
) -> set[Identifier]:
    """Give a member more identifiers and return those that somebody had already, which stay theirs."""
    owned = [(identifier, member_id) for identifier in identifiers]
    return await _insert(connection, tenant_id, None, [], owned, at)


async def lock_member(connection: Connection, tenant_id: UUID, member_id: UUID) -> Member:
    """Return a member who was found, and keep others from changing them until the database transaction ends."""
    row = await connection.fetchrow(LOCK_MEMBER, tenant_id, member_id)
    if row is None:
        # Members are never deleted.
        message = f"member {member_id} was found and is gone"
        raise RuntimeError(message)
    return Member(*row)


async def update_display_name(
    connection: Connection, tenant_id: UUID, member_id: UUID, display_name: str
) -> None:
    """Rename a member."""
    query = tables.Member.update({tables.Member.display_name: display_name}).where(
        tables.Member.tenant_id == tenant_id, tables.Member.id == member_id
    )
    await run(connection, query)


async def _insert(
    connection: Connection,
    tenant_id: UUID,
    organization_id: UUID | None,
    members: Sequence[NewMember],
    owned: Sequence[tuple[Identifier, UUID]],
    at: datetime,
) -> set[Identifier]:
    rows = await connection.fetch(
        INSERT,
        tenant_id,
        [member.id for member in members],
        [member.display_name for member in members],
        [identifier.kind for identifier, _ in owned],
        [identifier.value for identifier, _ in owned],
        [member_id for _, member_id in owned],
        at,
        organization_id,
    )
    inserted = {Identifier(IdentifierKind(kind), value) for kind, value in rows}
    return {identifier for identifier, _ in owned} - inserted
