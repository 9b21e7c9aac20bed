"""`grantTotals`: grants counted and summed by group."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.access import Scope
from gateway.errors import Forbidden
from gateway.grants.filter import GrantGrouping
from gateway.grants.total_store import fetch_grant_totals
from gateway.visibility import is_partner
from resolvers.context import Info
from resolvers.fields import query
from resolvers.types.grant_filter import GrantFilterArgument, to_grant_filter
from resolvers.types.grant_total import GrantTotal, to_grant_total


@query(
    "Grants counted and summed by group, at most 1,000 groups: days newest first, other groups largest first. Reversed and "
    "declined grants count only if the filter names their status.",
    requires=[Scope.READ, Scope.MEMBER],
)
async def grant_totals(
    info: Info,
    group_by: Annotated[
        GrantGrouping, strawberry.argument(description="What makes grants one group.")
    ],
    filter: GrantFilterArgument = None,
) -> list[GrantTotal]:
    """Sum the grants that the caller may see."""
    context = info.context
    if group_by is GrantGrouping.CAMPAIGN and not is_partner(context.caller):
        raise Forbidden("CAMPAIGN is for partners.", ("groupBy",))
    wanted, loaders = to_grant_filter(info, filter), context.loaders
    async with context.database.long_reading() as connection:
        totals = await fetch_grant_totals(connection, context.caller, group_by, wanted)
        asset_ids = {asset_id for total in totals for asset_id in total.amounts_minor}
        await loaders.learn_assets(connection, asset_ids)
    return [to_grant_total(total, group_by, loaders.assets) for total in totals]
