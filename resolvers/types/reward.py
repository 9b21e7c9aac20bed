"""The union of all rewards: those of the catalogue, and the two that stand only on grants."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, TypeAlias, cast
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.grants.benefits import assets_of
from gateway.grants.record import GrantKind
from gateway.grants.row import ShownGrant
from gateway.ids import to_uuid
from gateway.ledger import assets as ledger
from gateway.ledger.assets import AssetKind, from_minor
from gateway.rewards import model as domain
from gateway.rewards.store import fetch_rewards
from gateway.rewards.versions import load_reward_versions, recall_reward_version
from gateway.storage.database import Connection
from resolvers.context import Context
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.types.asset import Asset, to_asset
from resolvers.types.catalogue_reward import (
    CompetitionEntryReward,
    NonUniqueCouponReward,
    PointsReward,
    ProductReward,
    UniqueCouponReward,
    VendorVoucherReward,
    to_catalogue_reward,
)

Credit: TypeAlias = tuple[ledger.Asset, int]

# Looking a member of an enum up takes several times as long.
_CUSTOM = GrantKind.CUSTOM
_EXPERIENCE = AssetKind.EXPERIENCE


@strawberry.type(description="Cash for something the member did in a partner's own systems.")
class CustomReward:
    """An amount, outside of any catalogue."""

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
    """Amounts, outside of any catalogue."""

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
            "What can be granted. Those that implement `RewardDefinition` stand in the catalogue; `CustomReward` and "
            "`CurrencyReward` appear on grants only."
        ),
    ),
]


async def load_reward(context: Context, reward_id: UUID) -> Reward | None:
    """Return a reward of the caller's catalogue, or None."""
    reward = await context.loaders.using(_load_rewards).load(reward_id)
    return to_catalogue_reward(reward) if reward else None


def present_granted_reward(loaders: Loaders, grant: ShownGrant) -> Reward | Awaitable[Reward]:
    """Return what a grant gave, as it was when the grant was made (MON-5).

    It is there at once if the process has met the version, or the assets of a reward outside of the catalogue. Those of a list
    that it has not met share one statement.
    """
    version_id = grant.reward_version_id
    if version_id is not None:
        shown: Reward | None = loaders.shown_versions.get(version_id)
        return shown or _present_version(loaders, version_id)
    credits = []
    for benefit in grant.benefits:
        asset = loaders.find_asset(to_uuid(benefit["asset_id"]))
        if asset is None:
            return _load_uncatalogued_reward(loaders, grant)
        credits.append((asset, benefit["amount_minor"]))
    if grant.kind is _CUSTOM:
        (credit,) = credits
        return CustomReward(credit, grant)
    return CurrencyReward(credits)


async def load_reward_nodes(context: Context, ids: Sequence[UUID]) -> Sequence[Node | None]:
    """Return the rewards of the caller's catalogue, in the order of the ids; members see none."""
    if not context.caller.scopes & {Scope.READ, Scope.CATALOGUE}:
        return [None] * len(ids)
    rewards = await context.loaders.using(_load_rewards).load_many(ids)
    return [to_catalogue_reward(reward) if reward else None for reward in rewards]


def _present_version(loaders: Loaders, version_id: UUID) -> Reward | Awaitable[Reward]:
    version = recall_reward_version(loaders.caller.tenant_id, version_id)
    if version is None:
        return _load_version(loaders, version_id)
    shown = loaders.shown_versions[version_id] = to_catalogue_reward(version)
    return shown


async def _load_version(loaders: Loaders, version_id: UUID) -> Reward:
    version = await loaders.using(_load_versions).load(version_id)
    assert version is not None  # noqa: S101 - versions are never deleted
    return to_catalogue_reward(version)


async def _load_uncatalogued_reward(loaders: Loaders, grant: ShownGrant) -> Reward:
    await loaders.known_assets.load_many(assets_of([grant]))
    # Everything is known now.
    return cast(Reward, present_granted_reward(loaders, grant))


async def _load_rewards(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, domain.Reward]:
    caller = loaders.caller
    return await fetch_rewards(connection, caller.tenant_id, caller.organisation_id, ids)


async def _load_versions(
    connection: Connection, loaders: Loaders, version_ids: Sequence[UUID]
) -> Mapping[UUID, domain.RewardVersion]:
    return await load_reward_versions(connection, loaders.caller.tenant_id, version_ids)
