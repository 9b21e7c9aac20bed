"""Assets: what is counted, in how many decimals, and exact conversion to the smallest unit."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from decimal import Context, Decimal
from typing import TypeAlias
from uuid import UUID

AMOUNT_MINOR_MAX = 10**15
SCALE_MAX = 8
# More digits than any amount that is let in, and made once: making a context costs more than the arithmetic.
_EXACT = Context(prec=60)


class AssetKind(enum.StrEnum):
    """What an asset counts."""

    POINTS = "POINTS"
    EXPERIENCE = "EXPERIENCE"
    CURRENCY = "CURRENCY"
    CASH = "CASH"
    PRODUCT = "PRODUCT"
    COMPETITION = "COMPETITION"


@dataclass(frozen=True, slots=True)
class Asset:
    """Something countable in a tenant's ledger; `scale` is its number of decimals.

    What a member is credited of it expires after `expires_after_days`, or never if that is None. `organization_id` is its
    owner; None of the tenant's own assets, which all of its organizations share.
    """

    id: UUID
    code: str
    name: str
    kind: AssetKind
    scale: int
    expires_after_days: int | None = None
    organization_id: UUID | None = None


# An organization, and an asset that it would credit or deduct.
AssetUse: TypeAlias = tuple[UUID, UUID]


def say_forbidden(asset: Asset) -> str:
    """Return the sentence about an asset that an organization sees and may not move."""
    return (
        f"The asset {asset.code} is another organization's, which does not name this one as an issuer: "
        "only the owner and its issuers credit, deduct or fund it."
    )


# The smallest unit by the number of decimals: multiplying with it is exact, and half as dear as shifting the point.
_UNITS = [Decimal(1).scaleb(-scale) for scale in range(SCALE_MAX + 1)]


class InexactAmount(ValueError):
    """The amount has more decimals than the asset, or is out of bounds."""


def to_minor(amount: Decimal, scale: int) -> int:
    """Return the amount in the asset's smallest units, exactly.

    Raises:
        InexactAmount: it has more than `scale` decimals, or more than 10^15 smallest units either way.
    """
    if not amount.is_finite() or abs(amount) > AMOUNT_MINOR_MAX:
        message = f"must be between -{AMOUNT_MINOR_MAX} and {AMOUNT_MINOR_MAX} smallest units"
        raise InexactAmount(message)
    shifted = _EXACT.scaleb(amount, scale)
    whole = _EXACT.to_integral_value(shifted)
    if whole != shifted:
        message = f"must have at most {scale} decimals"
        raise InexactAmount(message)
    if abs(whole) > AMOUNT_MINOR_MAX:
        message = f"must be between -{AMOUNT_MINOR_MAX} and {AMOUNT_MINOR_MAX} smallest units"
        raise InexactAmount(message)
    return int(whole)


def from_minor(amount_minor: int, scale: int) -> Decimal:
    """Return smallest units as an exact amount with the asset's number of decimals."""
    return Decimal(amount_minor) * _UNITS[scale] if scale else Decimal(amount_minor)


def format_amount(asset: Asset, amount_minor: int) -> str:
    """Return the amount with its asset's code for a person to read, for example `12.50 USD`."""
    return f"{from_minor(amount_minor, asset.scale):f} {asset.code}"
