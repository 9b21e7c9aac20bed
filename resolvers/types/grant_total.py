"""Sums of grants."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.grants import filter as domain
from gateway.grants.filter import GrantGrouping
from gateway.ids import IdKind, encode_id
from gateway.ledger import assets as ledger
from gateway.ledger.assets import from_minor
from resolvers.enums import expose_enum
from resolvers.types.asset import Asset, to_asset

expose_enum(
    GrantGrouping,
    "What grants are summed by.",
    {
        "ACTION_CODE": "Their action code.",
        "REWARD": "The reward of the catalog they are of.",
        "SOURCE": "The operation that made them.",
        "DAY": "The day on which they were granted, in UTC.",
        "CAMPAIGN": "The campaign that made them.",
        "ASSET": "The assets their benefits are counted in: a grant may count in several.",
    },
)


@strawberry.type(description="An amount of an asset.")
class AssetAmount:
    """A sum."""

    asset: Asset = strawberry.field(description="What is counted.")
    amount: Decimal = strawberry.field(description="How much; deductions count below zero.")


@strawberry.type(description="The grants of one group: how many, and how much they gave.")
class GrantTotal:
    """A group's sums."""

    key: str | None = strawberry.field(
        description="The action code, reward id, campaign id, source, day (YYYY-MM-DD) or asset id; null for grants without one."
    )
    grant_count: int = strawberry.field(description="How many grants.")
    amounts: list[AssetAmount] = strawberry.field(
        description="What they gave, one entry for each asset. Coupon codes are not counted by an asset."
    )


def to_grant_total(
    total: domain.GrantTotal, grouping: GrantGrouping, assets: Mapping[UUID, ledger.Asset]
) -> GrantTotal:
    """Return a group's sums as their GraphQL type; `assets` has every asset of the amounts."""
    key = total.key
    if grouping is GrantGrouping.REWARD and key is not None:
        key = encode_id(IdKind.REWARD, UUID(key))
    if grouping is GrantGrouping.CAMPAIGN and key is not None:
        key = encode_id(IdKind.CAMPAIGN, UUID(key))
    return GrantTotal(
        key=key,
        grant_count=total.grant_count,
        amounts=[
            AssetAmount(
                asset=to_asset(assets[asset_id]),
                amount=from_minor(amount_minor, assets[asset_id].scale),
            )
            for asset_id, amount_minor in total.amounts_minor.items()
        ],
    )
