"""Pages of grants, of a member or of whatever the caller may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from gateway.grants.benefits import assets_of
from gateway.grants.filter import GrantFilter
from gateway.grants.list_store import (
    count_grants,
    count_member_grants,
    fetch_grant_page,
    fetch_member_grant_pages,
)
from gateway.grants.record import GrantRecord
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest
from resolvers.context import Info
from resolvers.loaders import Loaders
from resolvers.pages import Connection as PageConnection
from resolvers.pages import id_cursor, to_connection
from resolvers.selection import selects
from resolvers.types.grant import Grant, to_grant
from resolvers.types.reward import learn_granted_rewards

GRANT_CURSOR = id_cursor(b"g")


async def load_grants(
    info: Info, wanted: GrantFilter, request: PageRequest[UUID]
) -> PageConnection[Grant]:
    """Return a page of the grants that the caller may see."""
    context, loaders = info.context, info.context.loaders
    async with context.database.connection() as connection:
        page = await fetch_grant_page(connection, loaders.caller, wanted, request)
        await _learn(connection, loaders, page.items, with_rewards=selects(info, "reward"))

    async def count() -> int:
        async with context.database.connection() as connection:
            return await count_grants(connection, loaders.caller, wanted)

    context.spend_rows(len(page.items))
    return to_connection(page, to_grant, _to_cursor, count)


async def load_member_grants(
    info: Info, member_id: UUID, wanted: GrantFilter, request: PageRequest[UUID]
) -> PageConnection[Grant]:
    """Return a page of a member's grants; members of one list are read together."""
    context, loaders = info.context, info.context.loaders
    with_rewards = selects(info, "reward")
    page = await loaders.using(_load_pages, wanted, request, with_rewards).load(member_id)

    async def count() -> int:
        return await loaders.using(_load_counts, wanted).load(member_id) or 0

    assert page is not None  # noqa: S101 - the fetcher answers every member
    context.spend_rows(len(page.items))
    return to_connection(page, to_grant, _to_cursor, count)


def _to_cursor(record: GrantRecord) -> str:
    return GRANT_CURSOR.encode(record.id)


async def _load_pages(
    connection: Connection,
    loaders: Loaders,
    member_ids: Sequence[UUID],
    wanted: GrantFilter,
    request: PageRequest[UUID],
    with_rewards: bool,
) -> Mapping[UUID, Page[GrantRecord]]:
    pages = await fetch_member_grant_pages(connection, loaders.caller, member_ids, wanted, request)
    records = [record for page in pages.values() for record in page.items]
    await _learn(connection, loaders, records, with_rewards=with_rewards)
    return pages


async def _learn(
    connection: Connection, loaders: Loaders, records: Sequence[GrantRecord], *, with_rewards: bool
) -> None:
    """Read along what the grants' fields will want, so that each finds it without waiting."""
    await loaders.learn_assets(connection, assets_of(records))
    if with_rewards:
        await learn_granted_rewards(connection, loaders, records)


async def _load_counts(
    connection: Connection, loaders: Loaders, member_ids: Sequence[UUID], wanted: GrantFilter
) -> Mapping[UUID, int]:
    return await count_member_grants(connection, loaders.caller, member_ids, wanted)
