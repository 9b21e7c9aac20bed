"""Assets and amounts of them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import strawberry

from gateway.ledger import assets as domain
from gateway.ledger.assets import AssetKind
from resolvers.context import Context
from resolvers.enums import expose_enum
from resolvers.node import Node

expose_enum(
    AssetKind,
    "What an asset counts.",
    {
        "POINTS": "Points that members spend.",
        "EXPERIENCE": "Experience points, which are earned and never spent.",
        "CURRENCY": "A currency of a game or community.",
        "CASH": "Money.",
        "PRODUCT": "Units of a product.",
        "COMPETITION": "Entries of a competition.",
    },
)


@strawberry.type(
    description="Anything countable: points, a currency, cash, units of a product, competition entries."
)
class Asset(Node):
    """An asset; it never changes. Its id is a GUID."""

    code: str = strawberry.field(description="Short code, unique in the tenant, such as `USD`.")
    name: str = strawberry.field(description="Name for people.")
    kind: AssetKind = strawberry.field(description="What it counts.")
    decimals: int = strawberry.field(description="How many decimals its amounts have.")
    expires_after_days: int | None = strawberry.field(
        description="After how many days a member's credit expires; null if it never does."
    )

    asset: strawberry.Private[domain.Asset]

    def __init__(self, asset: domain.Asset) -> None:
        """Take all from the asset; half as long as by the names that Strawberry's own would want."""
        self.asset = asset
        # It has no prefix.
        self.id = strawberry.ID(str(asset.id))
        self.code = asset.code
        self.name = asset.name
        self.kind = asset.kind
        self.decimals = asset.scale
        self.expires_after_days = asset.expires_after_days


# The assets that the process has shown: each balance and each amount has one, and they never change.
KEPT_ASSETS_MAX = 10_000
_kept: dict[UUID, Asset] = {}


def to_asset(asset: domain.Asset) -> Asset:
    """Return an asset as its GraphQL type."""
    kept = _kept.get(asset.id)
    # Partners choose ids: two tenants may have chosen the same.
    if kept is not None and kept.asset is asset:
        return kept
    if len(_kept) >= KEPT_ASSETS_MAX:
        _kept.clear()
    shown = _kept[asset.id] = Asset(asset)
    return shown


async def load_asset_nodes(context: Context, ids: Sequence[UUID]) -> list[Asset | None]:
    """Return the tenant's assets, in the order of the ids; one statement at most."""
    found = await context.loaders.known_assets.load_many(ids)
    return [to_asset(asset) if asset else None for asset in found]
