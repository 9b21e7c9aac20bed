"""Non-unique coupon: the same code for everyone (MON-11)."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self

from gateway.errors import FieldError
from gateway.rewards.rules import check_code, plain
from gateway.rewards.types.base import Facts, Plan, PlanContext, References, Seal

DISCOUNT_DECIMALS_MAX = 4
DISCOUNT_MAX = 10**12
PERCENTAGE_MAX = 100


class DiscountType(enum.StrEnum):
    """How a coupon lowers a price."""

    PERCENTAGE = "PERCENTAGE"
    FIXED = "FIXED"


@dataclass(frozen=True, slots=True)
class NonUniqueCouponConfiguration:
    """A code, sealed for its reward, and the discount it gives: a percentage, or an amount in the shop's currency."""

    sealed_code: str
    discount_type: DiscountType
    discount_value: Decimal

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        discount_type = DiscountType(value["discount_type"])
        return cls(value["sealed_code"], discount_type, Decimal(value["discount_value"]))

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object to be stored."""
        return {
            "sealed_code": self.sealed_code,
            "discount_type": self.discount_type.value,
            "discount_value": plain(self.discount_value),
        }

    def plan(self, _: PlanContext) -> Plan:
        """Give the code once, whatever the quantity. Nothing moves in the ledger."""
        benefit = {"kind": "COUPON_CODE", "expires_at": None, **self.to_json()}
        return Plan(benefits=(benefit,))


@dataclass(frozen=True, slots=True)
class NonUniqueCouponDraft:
    """A code and its discount as a caller wrote them."""

    code: str
    discount_type: DiscountType
    discount_value: Decimal

    def to_fields(self) -> dict[str, Any]:
        """Return the request's fields in one spelling."""
        return {
            "code": self.code,
            "discount_type": self.discount_type.value,
            "discount_value": plain(self.discount_value),
        }

    def references(self) -> References:
        """Return nothing: the code is the reward."""
        return References()

    def check(self, _: Facts, path: tuple[str, ...]) -> list[FieldError]:
        """Return every broken rule of the code and the discount."""
        errors = check_code(self.code, (*path, "code"))
        value_path = (*path, "discountValue")
        value = self.discount_value
        value_max = (
            PERCENTAGE_MAX if self.discount_type is DiscountType.PERCENTAGE else DISCOUNT_MAX
        )
        if not value.is_finite() or not 0 <= value <= value_max:
            message = f"discountValue must be from 0 to {value_max}."
            errors.append(FieldError(value_path, "range", message))
        elif len(plain(value).partition(".")[2]) > DISCOUNT_DECIMALS_MAX:
            message = f"discountValue must have at most {DISCOUNT_DECIMALS_MAX} decimals."
            errors.append(FieldError(value_path, "exact", message))
        return errors

    def complete(self, _: Facts, seal: Seal) -> NonUniqueCouponConfiguration:
        """Return the configuration, which keeps the code sealed."""
        return NonUniqueCouponConfiguration(
            seal(self.code), self.discount_type, self.discount_value
        )
