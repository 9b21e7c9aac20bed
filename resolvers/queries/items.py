"""`products`, `competitions` and `codePools`: what rewards are made of (MON-10, MON-13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gateway.access import Scope
from gateway.rewards import items as domain
from gateway.rewards.item_store import count_items, fetch_item_page
from resolvers.context import Context, Info
from resolvers.fields import query
from resolvers.pages import (
    After,
    Before,
    Connection,
    CursorKind,
    First,
    Last,
    id_cursor,
    read_page_request,
    to_connection,
)
from resolvers.types.items import (
    CodePool,
    Competition,
    Product,
    to_code_pool,
    to_competition,
    to_product,
)

ItemType = TypeVar("ItemType", bound=domain.Item)
Node = TypeVar("Node")

PRODUCT_CURSOR = id_cursor(b"p")
COMPETITION_CURSOR = id_cursor(b"c")
CODE_POOL_CURSOR = id_cursor(b"k")


@query("List the organization's products, newest first.", requires=[Scope.READ, Scope.CATALOG])
async def products(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[Product]:
    """Read one page."""
    arguments = (first, after, last, before)
    return await _load(info.context, domain.Product, to_product, PRODUCT_CURSOR, *arguments)


@query("List the organization's competitions, newest first.", requires=[Scope.READ, Scope.CATALOG])
async def competitions(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[Competition]:
    """Read one page."""
    arguments = (first, after, last, before)
    return await _load(
        info.context, domain.Competition, to_competition, COMPETITION_CURSOR, *arguments
    )


@query(
    "List the organization's pools of coupon codes, newest first.",
    requires=[Scope.READ, Scope.CATALOG],
)
async def code_pools(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[CodePool]:
    """Read one page."""
    arguments = (first, after, last, before)
    return await _load(info.context, domain.CodePool, to_code_pool, CODE_POOL_CURSOR, *arguments)


async def _load(
    context: Context,
    item_type: type[ItemType],
    to_node: Callable[[ItemType], Node],
    cursor: CursorKind[Any],
    *arguments: Any,
) -> Connection[Node]:
    caller = context.caller
    request = read_page_request(cursor, *arguments)
    scope = (caller.tenant_id, caller.organization_id, item_type)
    async with context.database.connection() as connection:
        page = await fetch_item_page(connection, *scope, request)
    context.spend_rows(len(page.items))

    async def count() -> int:
        async with context.database.connection() as connection:
            return await count_items(connection, *scope)

    return to_connection(page, to_node, lambda item: cursor.encode(item.id), count)
