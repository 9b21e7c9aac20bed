"""`assets`: what the organization can see of what its tenant counts, newest first."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.access import Scope
from gateway.ledger.assets import AssetKind
from gateway.tenants.asset_list_store import count_assets, fetch_asset_page
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
from resolvers.types.asset import Asset, to_asset

ASSET_CURSOR = id_cursor(b"a")
# Products and competitions have lists of their own.
USUAL_KINDS = (AssetKind.POINTS, AssetKind.EXPERIENCE, AssetKind.CURRENCY, AssetKind.CASH)


@query(
    "Points, experience points, currencies and cash, newest first: the tenant's, the organization's own, those that it issues, and those of organizations it reaches. For partners.",
    requires=[Scope.READ, Scope.CATALOG],
)
async def assets(
    info: Info,
    kinds: Annotated[
        list[AssetKind] | None,
        strawberry.argument(
            description="Only these kinds; otherwise all but PRODUCT and COMPETITION."
        ),
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Asset]:
    """Load a page of assets."""
    context = info.context
    request = read_page_request(ASSET_CURSOR, first, after, last, before)
    caller, wanted = context.caller, kinds or USUAL_KINDS
    async with context.database.connection() as connection:
        page = await fetch_asset_page(connection, caller, wanted, request)

    async def count() -> int:
        async with context.database.connection() as connection:
            return await count_assets(connection, caller, wanted)

    context.spend_rows(len(page.items))
    return to_connection(page, to_asset, lambda asset: ASSET_CURSOR.encode(asset.id), count)
