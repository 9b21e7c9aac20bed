"""Notifications of members, newest first. Each function is one round trip, whatever the number of members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from gateway.access import Caller
from gateway.storage.count_store import count_each_up_to_max
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds
from gateway.visibility import visible_to

# $2 and $3 are what the caller may see: a notification is as visible as its grant.
_VISIBLE = """
notifications.tenant_id = $1 AND ($3::uuid IS NULL OR notifications.member_id = $3)
    AND ($2::uuid IS NULL OR EXISTS (
        SELECT FROM grants
        WHERE grants.tenant_id = $1 AND grants.id = notifications.grant_id AND grants.organization_id = $2))
"""

_PAGES = f"""
SELECT listed.*
FROM unnest($4::uuid[]) AS wanted (wanted_member_id)
CROSS JOIN LATERAL (
    SELECT id, member_id, grant_id, text, created_at, read_at FROM notifications
    WHERE {_VISIBLE} AND member_id = wanted_member_id AND id < $5 AND id > $6 AND true
    ORDER BY id DESC LIMIT $7
) AS listed
ORDER BY listed.id DESC
"""
PAGES = {False: _PAGES, True: _PAGES.replace(" DESC", "")}

_COUNTS = count_each_up_to_max(
    f"notifications WHERE {_VISIBLE} AND member_id = wanted.id AND true", "$4"
)

# By whether only unread ones are wanted; those have an index of their own.
UNREAD_PAGES = {
    backwards: page.replace("AND true", "AND read_at IS NULL") for backwards, page in PAGES.items()
}
COUNTS = {False: _COUNTS, True: _COUNTS.replace("AND true", "AND read_at IS NULL")}

FETCH = f"""
SELECT id, member_id, grant_id, text, created_at, read_at FROM notifications WHERE {_VISIBLE} AND id = ANY($4::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message to a member about a grant."""

    id: UUID
    member_id: UUID
    grant_id: UUID
    text: str
    created_at: datetime
    read_at: datetime | None


async def fetch_notification_pages(
    connection: Connection,
    caller: Caller,
    member_ids: Sequence[UUID],
    request: PageRequest[UUID],
    *,
    only_unread: bool = False,
) -> dict[UUID, Page[Notification]]:
    """Return the same page of each member's notifications, as far as the caller may see them."""
    rows = await connection.fetch(
        (UNREAD_PAGES if only_unread else PAGES)[request.backwards],
        caller.tenant_id,
        *visible_to(caller),
        list(member_ids),
        *id_bounds(request),
        request.fetch_limit,
    )
    listed: dict[UUID, list[Notification]] = {member_id: [] for member_id in member_ids}
    for row in rows:
        listed[row["member_id"]].append(_to_notification(row))
    return {member_id: cut_page(request, found) for member_id, found in listed.items()}


async def count_notifications(
    connection: Connection,
    caller: Caller,
    member_ids: Sequence[UUID],
    *,
    only_unread: bool = False,
) -> dict[UUID, int]:
    """Return how many notifications of each member the caller may see; every member asked for has a count."""
    rows = await connection.fetch(
        COUNTS[only_unread], caller.tenant_id, *visible_to(caller), list(member_ids)
    )
    return dict.fromkeys(member_ids, 0) | dict(map(tuple, rows))


async def fetch_notifications(
    connection: Connection, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, Notification]:
    """Return the notifications of these ids that the caller may see, by id."""
    rows = await connection.fetch(FETCH, caller.tenant_id, *visible_to(caller), list(ids))
    return {row["id"]: _to_notification(row) for row in rows}


def _to_notification(row: asyncpg.Record) -> Notification:
    return Notification(
        row["id"],
        row["member_id"],
        row["grant_id"],
        row["text"],
        row["created_at"],
        row["read_at"],
    )
