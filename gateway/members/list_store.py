"""Lists of a tenant's members, newest first. Each function is one round trip."""

from __future__ import annotations

from uuid import UUID

from gateway.storage.count_store import count_up_to_max
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds

PAGE = """
SELECT id FROM members WHERE tenant_id = $1 AND id < $2 AND id > $3 ORDER BY id DESC LIMIT $4
"""

PAGE_BACKWARDS = """
SELECT id FROM members WHERE tenant_id = $1 AND id < $2 AND id > $3 ORDER BY id LIMIT $4
"""

COUNT = count_up_to_max("members WHERE tenant_id = $1")


async def fetch_member_page(
    connection: Connection, tenant_id: UUID, request: PageRequest[UUID]
) -> Page[UUID]:
    """Return a page of the ids of the tenant's members."""
    statement = PAGE_BACKWARDS if request.backwards else PAGE
    rows = await connection.fetch(statement, tenant_id, *id_bounds(request), request.fetch_limit)
    return cut_page(request, [row["id"] for row in rows])


async def count_members(connection: Connection, tenant_id: UUID) -> int:
    """Return how many members the tenant has."""
    count: int = await connection.fetchval(COUNT, tenant_id)
    return count
