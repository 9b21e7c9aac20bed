"""The list of members, newest first, page by page."""

from __future__ import annotations

from uuid import UUID

from gateway.members.model import Member
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds

FETCH_NEWEST_FIRST = """
SELECT id, display_name, created_at FROM members
WHERE tenant_id = $1 AND id < $2 AND id > $3 ORDER BY tenant_id DESC, id DESC LIMIT $4
"""

FETCH_OLDEST_FIRST = """
SELECT id, display_name, created_at FROM members
WHERE tenant_id = $1 AND id < $2 AND id > $3 ORDER BY tenant_id, id LIMIT $4
"""

COUNT = "SELECT count(*) FROM members WHERE tenant_id = $1"


async def fetch_member_page(
    connection: Connection, tenant_id: UUID, request: PageRequest[UUID]
) -> Page[Member]:
    """Return a page of the tenant's members, newest first; one round trip."""
    newer, older = id_bounds(request)
    statement = FETCH_OLDEST_FIRST if request.backwards else FETCH_NEWEST_FIRST
    rows = await connection.fetch(statement, tenant_id, newer, older, request.fetch_limit)
    members = [Member(row["id"], row["display_name"], row["created_at"]) for row in rows]
    return cut_page(request, members)


async def count_members(connection: Connection, tenant_id: UUID) -> int:
    """Count the tenant's members; one round trip that reads them all."""
    count: int = await connection.fetchval(COUNT, tenant_id)
    return count
