"""`segments`: the organization's sets of members (CAP-10)."""

from __future__ import annotations

from gateway.access import Scope
from gateway.members.segments import model as domain
from gateway.members.segments.store import count_segments, fetch_segment_page
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
from resolvers.types.segment import Segment, to_segment

SEGMENT_CURSOR = id_cursor(b"s")


@query("List the organization's segments, newest first.", requires=[Scope.READ, Scope.MEMBERS])
async def segments(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[Segment]:
    """Read one page."""
    caller = info.context.caller
    request = read_page_request(SEGMENT_CURSOR, first, after, last, before)
    scope = (caller.tenant_id, caller.organization_id)
    async with info.context.database.connection() as connection:
        page = await fetch_segment_page(connection, *scope, request)
    info.context.spend_rows(len(page.items))

    async def count() -> int:
        async with info.context.database.connection() as connection:
            return await count_segments(connection, *scope)

    return to_connection(page, to_segment, _to_cursor, count)


def _to_cursor(segment: domain.Segment) -> str:
    return SEGMENT_CURSOR.encode(segment.id)
