"""The union of all rewards: those of the catalogue, and the two that stand only on grants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.grants.benefits import assets_of
from gateway.grants.record import GrantKind, GrantRecord
from gateway.ledger import assets as ledger
from gateway.ledger.assets import AssetKind, from_minor
from gateway.rewards import model as domain
from gateway.rewards.store import fetch_reward_versions, fetch_rewards
from gateway.storage.database import Connection
from resolvers.context import Context
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


@strawberry.type(description="Cash for something the member did in a partner's own systems.")
class CustomReward:
    """An amount, outside of any catalogue."""

    amount: Decimal = strawberry.field(description="How much.")
    currency_code: str = strawberry.field(description="Of which currency, such as `USD`.")
    action_code: str | None = strawberry.field(
        description="What the member did for it, as the partner names it."
    )


@strawberry.type(
    description="What a line of a distribution gives: currency, experience points, or both."
)
class CurrencyReward:
    """Amounts, outside of any catalogue."""

    currency: Asset | None = strawberry.field(
        description="The currency; null if the line gave experience points only."
    )
    currency_amount: Decimal | None = strawberry.field(
        description="How much of it, below zero if it was deducted; null without a currency."
    )
    experience_points: int | None = strawberry.field(
        description="How many experience points; null if the line gave none."
    )


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


async def load_granted_reward(context: Context, grant: GrantRecord) -> Reward:
    """Return what a grant gave, as it was when the grant was made; the grants of a list share one statement (MON-5)."""
    loaders = context.loaders
    if grant.reward_version_id is not None:
        version = await loaders.using(_load_versions).load(grant.reward_version_id)
        assert version is not None  # noqa: S101 - versions are never deleted
        return to_catalogue_reward(version)
    await loaders.known_assets.load_many(assets_of([grant]))
    return _to_uncatalogued_reward(loaders, grant)


async def learn_granted_rewards(
    connection: Connection, loaders: Loaders, grants: Iterable[GrantRecord]
) -> None:
    """Put the versions that these grants are of into `loaders.versions`; one round trip at most."""
    version_ids = {grant.reward_version_id for grant in grants if grant.reward_version_id}
    missing = list(version_ids - loaders.versions.keys())
    if missing:
        loaders.versions |= await _load_versions(connection, loaders, missing)


def find_granted_reward(loaders: Loaders, grant: GrantRecord) -> Reward | None:
    """Return what a grant gave if that is known already, or None."""
    if grant.reward_version_id is not None:
        version = loaders.versions.get(grant.reward_version_id)
        return to_catalogue_reward(version) if version else None
    if loaders.knows_assets(assets_of([grant])):
        return _to_uncatalogued_reward(loaders, grant)
    return None


async def load_reward_nodes(context: Context, ids: Sequence[UUID]) -> Sequence[Node | None]:
    """Return the rewards of the caller's catalogue, in the order of the ids; members see none."""
    if not context.caller.scopes & {Scope.READ, Scope.CATALOGUE}:
        return [None] * len(ids)
    rewards = await context.loaders.using(_load_rewards).load_many(ids)
    return [to_catalogue_reward(reward) if reward else None for reward in rewards]


def _to_uncatalogued_reward(loaders: Loaders, grant: GrantRecord) -> Reward:
    credits = [_to_credit(benefit, loaders.assets) for benefit in grant.benefits]
    if grant.kind is GrantKind.CUSTOM:
        ((asset, amount),) = credits
        return CustomReward(amount=amount, currency_code=asset.code, action_code=grant.action_code)
    return _to_currency_reward(credits)


def _to_credit(
    benefit: Mapping[str, Any], assets: Mapping[UUID, ledger.Asset]
) -> tuple[ledger.Asset, Decimal]:
    asset = assets[UUID(benefit["asset_id"])]
    return asset, from_minor(benefit["amount_minor"], asset.scale)


def _to_currency_reward(credits: Sequence[tuple[ledger.Asset, Decimal]]) -> CurrencyReward:
    reward = CurrencyReward(currency=None, currency_amount=None, experience_points=None)
    for asset, amount in credits:
        if asset.kind is AssetKind.EXPERIENCE:
            reward.experience_points = int(amount)
        else:
            reward.currency, reward.currency_amount = to_asset(asset), amount
    return reward


async def _load_rewards(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, domain.Reward]:
    caller = loaders.caller
    return await fetch_rewards(connection, caller.tenant_id, caller.organisation_id, ids)


async def _load_versions(
    connection: Connection, loaders: Loaders, version_ids: Sequence[UUID]
) -> Mapping[UUID, domain.Reward]:
    return await fetch_reward_versions(connection, loaders.caller.tenant_id, version_ids)
