"""`members`: everybody in the tenant, newest first."""

from __future__ import annotations

from gateway.access import Scope
from gateway.members.list_store import count_members, fetch_member_page
from resolvers.context import Info
from resolvers.fields import query
from resolvers.pages import (
    After,
    Before,
    Connection,
    First,
    Last,
    id_cursor,
    read_page_request,
    to_connection,
)
from resolvers.types.member import Member, to_member

MEMBER_CURSOR = id_cursor(b"m")


@query("Every member of the tenant, newest first. For partners.", requires=[Scope.READ])
async def members(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Member]:
    """Load a page of members."""
    context = info.context
    request = read_page_request(MEMBER_CURSOR, first, after, last, before)
    tenant_id = context.caller.tenant_id
    async with context.database.connection() as connection:
        page = await fetch_member_page(connection, tenant_id, request)

    async def count() -> int:
        async with context.database.long_reading() as connection:
            return await count_members(connection, tenant_id)

    context.spend_rows(len(page.items))
    return to_connection(
        page, lambda member_id: to_member(context, member_id), MEMBER_CURSOR.encode, count
    )
