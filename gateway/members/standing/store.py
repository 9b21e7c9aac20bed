"""Cards and labels in the database. Each function is one round trip, whatever the number of links or members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from gateway.members.standing.model import Link, StandingKind, StandingStatus
from gateway.storage.database import Connection, column

# What is not named goes, what is named stays or comes: the two touch different rows. In order of name, so that two calls
# which share cards wait for each other instead of deadlocking. A card of another member is left alone, and not returned.
_REPLACE = """
WITH removed AS (
    DELETE FROM {table} WHERE tenant_id = $1 AND member_id = $2 AND {name} <> ALL($3::text[])
)
INSERT INTO {table} (tenant_id, member_id, {name}, status, created_at)
SELECT $1, $2, name, status, $5 FROM unnest($3::text[], $4::text[]) AS given (name, status) ORDER BY name
ON CONFLICT ({key}) DO UPDATE SET status = excluded.status WHERE {table}.member_id = excluded.member_id
RETURNING {name} AS name
"""

_FETCH = """
SELECT member_id, {name} AS name, status FROM {table} WHERE tenant_id = $1 AND member_id = ANY($2::uuid[])
ORDER BY member_id, created_at, {name}
"""

_TABLES = {
    StandingKind.CARD: {"table": "member_cards", "name": "number", "key": "tenant_id, number"},
    StandingKind.LABEL: {
        "table": "member_labels",
        "name": "name",
        "key": "tenant_id, member_id, name",
    },
}
REPLACE: Mapping[StandingKind, str] = {
    kind: _REPLACE.format(**names) for kind, names in _TABLES.items()
}
FETCH: Mapping[StandingKind, str] = {
    kind: _FETCH.format(**names) for kind, names in _TABLES.items()
}


async def replace_links(
    connection: Connection,
    tenant_id: UUID,
    kind: StandingKind,
    member_id: UUID,
    links: Sequence[Link],
    at: datetime,
) -> set[str]:
    """Make these a member's cards or labels, and return the names of those that are another member's and stay so."""
    rows = await connection.fetch(
        REPLACE[kind], tenant_id, member_id, column(links, "name"), column(links, "status"), at
    )
    return {link.name for link in links} - {row["name"] for row in rows}


async def fetch_links(
    connection: Connection, tenant_id: UUID, kind: StandingKind, member_ids: Sequence[UUID]
) -> dict[UUID, list[Link]]:
    """Return each member's cards or labels, oldest first; every member asked for has a list."""
    links: dict[UUID, list[Link]] = {member_id: [] for member_id in member_ids}
    for member_id, name, status in await connection.fetch(FETCH[kind], tenant_id, list(member_ids)):
        links[member_id].append(Link(name, StandingStatus(status)))
    return links
