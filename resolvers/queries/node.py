"""`node` and `nodes`: fetch anything again by its id alone."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind
from resolvers.context import Info
from resolvers.fields import query
from resolvers.node import LoadNodes, Node, load_nodes
from resolvers.types.asset import load_asset_nodes
from resolvers.types.campaign import load_campaign_nodes
from resolvers.types.grant import load_grant_nodes
from resolvers.types.group import load_group_nodes
from resolvers.types.hold import load_hold_nodes
from resolvers.types.items import (
    load_code_pool_nodes,
    load_competition_nodes,
    load_product_nodes,
)
from resolvers.types.ledger_entry import load_entry_nodes
from resolvers.types.member import load_member_nodes
from resolvers.types.notification import load_notification_nodes
from resolvers.types.reward import load_reward_nodes
from resolvers.types.segment import load_segment_nodes
from resolvers.types.vendor import load_vendor_nodes

# One row for each kind of id that can be fetched again.
LOADS: dict[IdKind, LoadNodes] = {
    IdKind.ASSET: load_asset_nodes,
    IdKind.CAMPAIGN: load_campaign_nodes,
    IdKind.CODE_POOL: load_code_pool_nodes,
    IdKind.COMPETITION: load_competition_nodes,
    IdKind.GRANT: load_grant_nodes,
    IdKind.GROUP: load_group_nodes,
    IdKind.HOLD: load_hold_nodes,
    IdKind.LEDGER_ENTRY: load_entry_nodes,
    IdKind.MEMBER: load_member_nodes,
    IdKind.NOTIFICATION: load_notification_nodes,
    IdKind.PRODUCT: load_product_nodes,
    IdKind.REWARD: load_reward_nodes,
    IdKind.SEGMENT: load_segment_nodes,
    IdKind.VENDOR: load_vendor_nodes,
}


@query(
    "Fetch one object by its id; null if it is unknown or not the caller's.",
    requires=[Scope.READ, Scope.MEMBER],
)
async def node(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="Any id this API answered.")],
) -> Node | None:
    """Look one id up."""
    (found,) = await load_nodes(info.context, [id], LOADS)
    return found


@query(
    "Fetch up to 100 objects by id, in the order given; null for each that is unknown or not the caller's.",
    requires=[Scope.READ, Scope.MEMBER],
)
async def nodes(
    info: Info,
    ids: Annotated[
        list[strawberry.ID], strawberry.argument(description="Ids this API answered, of any kinds.")
    ],
) -> list[Node | None]:
    """Look many ids up."""
    return await load_nodes(info.context, ids, LOADS)
