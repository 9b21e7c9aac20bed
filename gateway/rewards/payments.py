"""Payment configurations as a caller writes them: the rules of each mode, and their completion (CAP-6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from gateway.errors import FieldError
from gateway.ledger.assets import AssetKind, to_minor
from gateway.rewards.model import PaymentConfig, PaymentMode
from gateway.rewards.rules import check_amount, plain
from gateway.rewards.types.base import Facts, References

PAYMENT_CONFIGS_MAX = 20
RATIO_DECIMALS_MAX = 6
RATIO_MAX = 10**9

_POINTS_KINDS = frozenset({AssetKind.POINTS, AssetKind.CURRENCY})
_CASH_KINDS = frozenset({AssetKind.CASH})
# The fields of each mode, by their GraphQL names: all of them are needed, and no other may be given.
_FIELDS: Mapping[PaymentMode, frozenset[str]] = {
    PaymentMode.FREE: frozenset(),
    PaymentMode.POINTS: frozenset({"assetId", "amount"}),
    PaymentMode.CASH: frozenset({"cashAssetId", "cashAmount"}),
    PaymentMode.POINTS_CASH: frozenset({"assetId", "amount", "cashAssetId", "cashAmount"}),
    PaymentMode.CONV_RATIO: frozenset({"assetId", "conversionRatio"}),
}


@dataclass(frozen=True, slots=True)
class PaymentConfigDraft:
    """One way to pay, as a caller wrote it."""

    mode: PaymentMode
    asset_id: UUID | None = None
    amount: Decimal | None = None
    cash_asset_id: UUID | None = None
    cash_amount: Decimal | None = None
    conversion_ratio: Decimal | None = None

    def by_name(self) -> dict[str, UUID | Decimal | None]:
        """Return the values by GraphQL input name, in the order in which rules are reported."""
        return {
            "assetId": self.asset_id,
            "amount": self.amount,
            "cashAssetId": self.cash_asset_id,
            "cashAmount": self.cash_amount,
            "conversionRatio": self.conversion_ratio,
        }

    def to_fields(self) -> dict[str, Any]:
        """Return the request's fields in one spelling, for its fingerprint."""
        spelled = {
            name: plain(value) if isinstance(value, Decimal) else value
            for name, value in self.by_name().items()
        }
        return {"mode": self.mode.value, **spelled}

    def references(self) -> References:
        """Return the assets named."""
        named = (self.asset_id, self.cash_asset_id)
        return References(frozenset(asset_id for asset_id in named if asset_id is not None))

    def complete(self, config_id: UUID, facts: Facts) -> PaymentConfig:
        """Return the payment configuration of a draft that breaks no rule, in smallest units."""
        return PaymentConfig(
            id=config_id,
            mode=self.mode,
            asset_id=self.asset_id,
            amount_minor=_minor(self.amount, self.asset_id, facts),
            cash_asset_id=self.cash_asset_id,
            cash_amount_minor=_minor(self.cash_amount, self.cash_asset_id, facts),
            conversion_ratio=self.conversion_ratio,
        )


class _Price(NamedTuple):
    """An amount with the asset it is in, their input names, and the kinds of asset that will do."""

    asset_id: UUID | None
    amount: Decimal | None
    asset_name: str
    amount_name: str
    kinds: frozenset[AssetKind]
    noun: str


def check_payment_configs(
    drafts: Sequence[PaymentConfigDraft], facts: Facts, path: tuple[str, ...]
) -> list[FieldError]:
    """Return every broken rule of every payment configuration."""
    if len(drafts) > PAYMENT_CONFIGS_MAX:
        message = f"{path[-1]} must be at most {PAYMENT_CONFIGS_MAX}."
        return [FieldError(path, "length", message)]
    return [
        error
        for index, draft in enumerate(drafts)
        for error in _check(draft, facts, (*path, str(index)))
    ]


def _check(draft: PaymentConfigDraft, facts: Facts, path: tuple[str, ...]) -> list[FieldError]:
    errors: list[FieldError] = []
    allowed = _FIELDS[draft.mode]
    for name, value in draft.by_name().items():
        if value is None and name in allowed:
            message = f"{name} is required for {draft.mode.value}."
            errors.append(FieldError((*path, name), "required", message))
        elif value is not None and name not in allowed:
            message = f"{name} has no meaning for {draft.mode.value}."
            errors.append(FieldError((*path, name), "unexpected", message))
    prices = (
        _Price(draft.asset_id, draft.amount, "assetId", "amount", _POINTS_KINDS, "points asset"),
        _Price(
            draft.cash_asset_id,
            draft.cash_amount,
            "cashAssetId",
            "cashAmount",
            _CASH_KINDS,
            "cash asset",
        ),
    )
    for price in prices:
        errors += _check_price(price, facts, path)
    errors += _check_ratio(draft.conversion_ratio, (*path, "conversionRatio"))
    names = list(draft.by_name())
    return sorted(errors, key=lambda error: names.index(error.path[-1]))


def _check_price(price: _Price, facts: Facts, path: tuple[str, ...]) -> list[FieldError]:
    errors: list[FieldError] = []
    asset = facts.assets.get(price.asset_id) if price.asset_id else None
    if price.asset_id is not None:
        asset_path = (*path, price.asset_name)
        errors += facts.check_asset(price.asset_id, price.noun, asset_path)
        if asset is not None and asset.kind not in price.kinds:
            message = f"{price.asset_name} must be the id of a {price.noun}."
            errors.append(FieldError(asset_path, "kind", message))
    if price.amount is not None:
        scale = asset.scale if asset else None
        errors += check_amount(price.amount, scale, (*path, price.amount_name))
    return errors


def _check_ratio(ratio: Decimal | None, path: tuple[str, ...]) -> list[FieldError]:
    if ratio is None:
        return []
    if not ratio.is_finite() or not 0 < ratio <= RATIO_MAX:
        message = f"conversionRatio must be greater than 0 and at most {RATIO_MAX}."
        return [FieldError(path, "positive", message)]
    if len(plain(ratio).partition(".")[2]) > RATIO_DECIMALS_MAX:
        message = f"conversionRatio must have at most {RATIO_DECIMALS_MAX} decimals."
        return [FieldError(path, "exact", message)]
    return []


def _minor(amount: Decimal | None, asset_id: UUID | None, facts: Facts) -> int | None:
    if amount is None or asset_id is None:
        return None
    return to_minor(amount, facts.assets[asset_id].scale)
