"""Assets and amounts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, encode_id
from gateway.ledger import assets as domain
from gateway.ledger.assets import AssetKind
from gateway.storage.database import Connection
from gateway.tenants.asset_rights import load_visible_assets
from gateway.tenants.assets import load_assets
from gateway.tenants.issuer_store import fetch_issuers
from gateway.visibility import is_partner
from resolvers.context import Context, Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.loaders import Loaders
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
    """An asset; but for its issuers it never changes. Its id is a GUID."""

    code: str = strawberry.field(description="Short code, unique in the tenant, such as `USD`.")
    name: str = strawberry.field(description="Name for people.")
    kind: AssetKind = strawberry.field(description="What it counts.")
    decimals: int = strawberry.field(description="How many decimals its amounts have.")
    expires_after_days: int | None = strawberry.field(
        description="After how many days a member's credit expires; null if it never does."
    )
    owner_org_id: strawberry.ID | None = strawberry.field(
        description="The organization that owns it, `org_…`; null for the tenant's own, which all of its organizations share."
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
        owner_id = asset.organization_id
        self.owner_org_id = (
            None if owner_id is None else strawberry.ID(encode_id(IdKind.ORGANIZATION, owner_id))
        )

    @resolved(
        "The other organizations, `org_…`, that may credit, deduct and fund it; null for partners of other organizations. Null for members.",
        requires=[Scope.READ, Scope.CATALOG, Scope.MEMBER],
    )
    async def issuers(self, info: Info) -> list[strawberry.ID] | None:
        """Load the issuers."""
        caller = info.context.caller
        if self.asset.organization_id != caller.organization_id:
            return None
        issuers = await info.context.loaders.using(_load_issuers).load(self.asset.id)
        return [strawberry.ID(encode_id(IdKind.ORGANIZATION, one)) for one in issuers or ()]


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
    """Return the assets that the caller can see, in the order of the ids; two statements at most."""
    found = await context.loaders.using(_load_visible).load_many(ids)
    return [to_asset(asset) if asset else None for asset in found]


async def _load_visible(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, domain.Asset]:
    caller = loaders.caller
    if is_partner(caller):
        return (await load_visible_assets(connection, caller, ids)).assets
    return await load_assets(connection, caller.tenant_id, ids)


async def _load_issuers(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, list[UUID]]:
    return await fetch_issuers(connection, loaders.caller.tenant_id, ids)
