"""`assets`: what the tenant counts, newest first."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.access import Scope, authorize
from gateway.ledger.assets import AssetKind
from gateway.tenants.asset_list_store import count_assets, fetch_asset_page
from resolvers.context import Info
from resolvers.fields import resolved
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


@resolved(
    "The tenant's points, experience points, currencies and cash, newest first. For partners."
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
    authorize(context.caller, Scope.READ, Scope.CATALOG)
    request = read_page_request(ASSET_CURSOR, first, after, last, before)
    tenant_id, wanted = context.caller.tenant_id, kinds or USUAL_KINDS
    async with context.database.connection() as connection:
        page = await fetch_asset_page(connection, tenant_id, wanted, request)

    async def count() -> int:
        async with context.database.connection() as connection:
            return await count_assets(connection, tenant_id, wanted)

    context.spend_rows(len(page.items))
    return to_connection(page, to_asset, lambda asset: ASSET_CURSOR.encode(asset.id), count)
