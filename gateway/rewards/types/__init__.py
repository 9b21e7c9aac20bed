"""The reward types of the catalog. A new one is a file in this folder and a line in this registry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gateway.rewards.types.base import Configuration, Draft, RewardKind
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import (
    NonUniqueCouponConfiguration,
    NonUniqueCouponDraft,
)
from gateway.rewards.types.points import PointsConfiguration, PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.types.vendor_voucher import VendorVoucherConfiguration, VendorVoucherDraft

_READERS: Mapping[RewardKind, Callable[[Mapping[str, Any]], Configuration]] = {
    RewardKind.POINTS: PointsConfiguration.from_json,
    RewardKind.PRODUCT: ProductConfiguration.from_json,
    RewardKind.COMPETITION_ENTRY: CompetitionEntryConfiguration.from_json,
    RewardKind.UNIQUE_COUPON: UniqueCouponConfiguration.from_json,
    RewardKind.NON_UNIQUE_COUPON: NonUniqueCouponConfiguration.from_json,
    RewardKind.VENDOR_VOUCHER: VendorVoucherConfiguration.from_json,
}

_KINDS: Mapping[type[Draft], RewardKind] = {
    PointsDraft: RewardKind.POINTS,
    ProductConfiguration: RewardKind.PRODUCT,
    CompetitionEntryConfiguration: RewardKind.COMPETITION_ENTRY,
    UniqueCouponConfiguration: RewardKind.UNIQUE_COUPON,
    NonUniqueCouponDraft: RewardKind.NON_UNIQUE_COUPON,
    VendorVoucherDraft: RewardKind.VENDOR_VOUCHER,
}


def read_configuration(kind: RewardKind, value: Mapping[str, Any]) -> Configuration:
    """Return the typed configuration that stands in `reward_versions.configuration`."""
    return _READERS[kind](value)


def kind_of(draft: Draft) -> RewardKind:
    """Return the kind of reward that a draft configures."""
    return _KINDS[type(draft)]
