"""The union of all rewards: those of the catalog, and the two that stand only on grants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from gateway.grants.row import ShownGrant
from gateway.ledger import assets as ledger
from gateway.ledger.assets import AssetKind, from_minor
from gateway.rewards import model as domain
from gateway.rewards.store import fetch_rewards
from gateway.storage.database import Connection
from gateway.visibility import is_partner
from resolvers.context import Context
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.types.asset import Asset, to_asset
from resolvers.types.catalog_reward import (
    CompetitionEntryReward,
    NonUniqueCouponReward,
    PointsReward,
    ProductReward,
    UniqueCouponReward,
    VendorVoucherReward,
    to_catalog_reward,
)

Credit: TypeAlias = tuple[ledger.Asset, int]

# Looking a member of an enum up takes several times as long.
_EXPERIENCE = AssetKind.EXPERIENCE


@strawberry.type(description="Cash for something the member did in a partner's own systems.")
class CustomReward:
    """An amount, outside of any catalog."""

    credit: strawberry.Private[Credit]
    record: strawberry.Private[ShownGrant]

    def __init__(self, credit: Credit, record: ShownGrant) -> None:
        """Keep both; by position, as `Grant` does."""
        self.credit = credit
        self.record = record

    @resolved("How much.")
    def amount(self) -> Decimal:
        """Return the amount in the currency's own decimals."""
        asset, amount_minor = self.credit
        return from_minor(amount_minor, asset.scale)

    @resolved("Of which currency, such as `USD`.")
    def currency_code(self) -> str:
        """Name the currency."""
        return self.credit[0].code

    @resolved("What the member did for it, as the partner names it.")
    def action_code(self) -> str | None:
        """Return what the grant has."""
        return self.record.action_code


@strawberry.type(
    description="What a line of a distribution gives: currency, experience points, or both."
)
class CurrencyReward:
    """Amounts, outside of any catalog."""

    credits: strawberry.Private[Sequence[Credit]]

    def __init__(self, credits: Sequence[Credit]) -> None:
        """Keep them; by position, as `Grant` does."""
        self.credits = credits

    @resolved("The currency; null if the line gave experience points only.")
    def currency(self) -> Asset | None:
        """Return the asset that was credited."""
        for asset, _ in self.credits:
            if asset.kind is not _EXPERIENCE:
                return to_asset(asset)
        return None

    @resolved("How much of it, below zero if it was deducted; null without a currency.")
    def currency_amount(self) -> Decimal | None:
        """Return the amount in the currency's own decimals."""
        for asset, amount_minor in self.credits:
            if asset.kind is not _EXPERIENCE:
                return from_minor(amount_minor, asset.scale)
        return None

    @resolved("How many experience points; null if the line gave none.")
    def experience_points(self) -> int | None:
        """Return the points."""
        for asset, amount_minor in self.credits:
            if asset.kind is _EXPERIENCE:
                return int(from_minor(amount_minor, asset.scale))
        return None


Reward: TypeAlias = Annotated[
    PointsReward
    | ProductReward
    | CompetitionEntryReward
    | UniqueCouponReward
    | NonUniqueCouponReward
    | VendorVoucherReward
    | CustomReward
    | CurrencyReward,
    strawberry.union(
        "Reward",
        description=(
            "What can be granted. Those that implement `RewardDefinition` stand in the catalog; `CustomReward` and "
            "`CurrencyReward` appear on grants only."
        ),
    ),
]


async def load_reward(context: Context, reward_id: UUID) -> Reward | None:
    """Return a reward of the caller's catalog, or None."""
    reward = await context.loaders.using(_load_rewards).load(reward_id)
    return to_catalog_reward(reward) if reward else None


async def load_reward_nodes(context: Context, ids: Sequence[UUID]) -> Sequence[Node | None]:
    """Return the rewards of the caller's catalog, in the order of the ids; members see none."""
    if not is_partner(context.caller):
        return [None] * len(ids)
    rewards = await context.loaders.using(_load_rewards).load_many(ids)
    return [to_catalog_reward(reward) if reward else None for reward in rewards]


async def _load_rewards(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, domain.Reward]:
    caller = loaders.caller
    return await fetch_rewards(connection, caller.tenant_id, caller.organization_id, ids)
