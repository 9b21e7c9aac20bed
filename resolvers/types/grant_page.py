"""Pages of grants, of a member or of whatever the caller may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from gateway.grants.filter import GrantFilter
from gateway.grants.list_store import (
    ask_member_grant_pages,
    count_grants,
    count_member_grants,
    fetch_grant_page,
)
from gateway.grants.row import GrantColumns, GrantRow
from gateway.promises import Promise
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest
from gateway.storage.union_store import Question
from resolvers.context import Info
from resolvers.loaders import Loaders
from resolvers.pages import Connection as PageConnection
from resolvers.pages import id_cursor, to_connection
from resolvers.types.grant import Grant, choose_columns, to_grant

GRANT_CURSOR = id_cursor(b"g")


async def load_grants(
    info: Info, wanted: GrantFilter, request: PageRequest[UUID]
) -> PageConnection[Grant]:
    """Return a page of the grants that the caller may see."""
    context, loaders = info.context, info.context.loaders
    columns = choose_columns(info)
    async with context.database.connection() as connection:
        page = await fetch_grant_page(connection, loaders.caller, wanted, request, columns=columns)

    async def count() -> int:
        async with context.database.long_reading() as connection:
            return await count_grants(connection, loaders.caller, wanted)

    context.spend_rows(len(page.items))
    return to_connection(page, to_grant, _to_cursor, count)


def load_member_grants(
    info: Info, member_id: UUID, wanted: GrantFilter, request: PageRequest[UUID]
) -> Promise[PageConnection[Grant]]:
    """Return what becomes a page of a member's grants; members of one list are read together."""
    context, loaders = info.context, info.context.loaders
    loader = loaders.asking(_ask_pages, wanted, request, choose_columns(info))

    async def count() -> int:
        return await loaders.using(_load_counts, wanted).load(member_id) or 0

    def present(page: Page[GrantRow] | None) -> PageConnection[Grant]:
        assert page is not None  # noqa: S101 - the fetcher answers every member
        context.spend_rows(len(page.items))
        return to_connection(page, to_grant, _to_cursor, count)

    return loader.load(member_id).then(present)


def _to_cursor(record: GrantRow) -> str:
    return GRANT_CURSOR.encode(record.id)


def _ask_pages(
    loaders: Loaders,
    member_ids: Sequence[UUID],
    wanted: GrantFilter,
    request: PageRequest[UUID],
    columns: GrantColumns,
) -> Question[dict[UUID, Page[GrantRow]]]:
    return ask_member_grant_pages(loaders.caller, member_ids, wanted, request, columns=columns)


async def _load_counts(
    connection: Connection, loaders: Loaders, member_ids: Sequence[UUID], wanted: GrantFilter
) -> Mapping[UUID, int]:
    return await count_member_grants(connection, loaders.caller, member_ids, wanted)
