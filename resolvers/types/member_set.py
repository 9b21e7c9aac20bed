"""Members of groups and segments: their pages and their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from gateway.members.membership.model import MemberSet, MembershipChange
from gateway.members.membership.store import count_set_members, fetch_set_pages
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest
from resolvers.context import Context
from resolvers.enums import expose_enum
from resolvers.loaders import Loaders
from resolvers.pages import Connection as PageConnection
from resolvers.pages import id_cursor, to_connection
from resolvers.types.member import Member, to_member

SET_MEMBER_CURSOR = id_cursor(b"sm")

expose_enum(
    MembershipChange,
    "What to do with the members named.",
    {
        "SET": "Make them the members: everybody else leaves.",
        "ADD": "Put them in; those who are in already stay.",
        "REMOVE": "Take them out; those who are not in are passed over.",
    },
)


async def load_set_members(
    context: Context, kind: MemberSet, set_id: UUID, request: PageRequest[UUID]
) -> PageConnection[Member]:
    """Return a page of a set's members; sets of one list are read together."""
    page = await context.loaders.using(_load_pages, kind, request).load(set_id)

    async def count() -> int:
        return await context.loaders.using(_load_counts, kind).load(set_id) or 0

    assert page is not None  # noqa: S101 - the fetcher answers every set
    context.spend_rows(len(page.items))
    return to_connection(
        page, lambda member_id: to_member(context, member_id), SET_MEMBER_CURSOR.encode, count
    )


async def _load_pages(
    connection: Connection,
    loaders: Loaders,
    set_ids: Sequence[UUID],
    kind: MemberSet,
    request: PageRequest[UUID],
) -> Mapping[UUID, Page[UUID]]:
    return await fetch_set_pages(connection, loaders.caller.tenant_id, kind, set_ids, request)


async def _load_counts(
    connection: Connection, loaders: Loaders, set_ids: Sequence[UUID], kind: MemberSet
) -> Mapping[UUID, int]:
    return await count_set_members(connection, loaders.caller.tenant_id, kind, set_ids)
