"""How coupons lower a price."""

from __future__ import annotations

from gateway.rewards.types.non_unique_coupon import DiscountType
from resolvers.enums import expose_enum

__all__ = ["DiscountType"]

expose_enum(
    DiscountType,
    "How a coupon lowers a price.",
    {
        "PERCENTAGE": "By a part of the price, in per cent.",
        "FIXED": "By an amount, in the currency of the shop.",
    },
)
