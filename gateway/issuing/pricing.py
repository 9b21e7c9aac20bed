"""What an item costs: quantity, payment configuration, and exact rounding. Pure.

Source: CAP-6, CAP-7.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import Any
from uuid import UUID

from gateway.grants.status import Refusal, StatusCode
from gateway.issuing.model import NO_CHOICE, ONE, IssueItem, PaymentChoice
from gateway.issuing.payers import Payers
from gateway.issuing.scope import Terms
from gateway.ledger.assets import AMOUNT_MINOR_MAX, Asset, from_minor
from gateway.ledger.model import OwnerKind, Transfer, organization_account
from gateway.rewards.model import PaymentConfig, PaymentMode, Reward, RewardKind
from gateway.rewards.types.vendor_voucher import VendorVoucherConfiguration

QUANTITY_MAX = 1_000_000
DIGITS = 60
SINGLE_KINDS = frozenset({RewardKind.UNIQUE_COUPON, RewardKind.NON_UNIQUE_COUPON})


@dataclass(slots=True)
class Price:
    """What one item costs and how many it gives. Units: minor; `total_value` as the caller counts it.

    Not changed once made: freezing it would only make it dearer.
    """

    quantity: int
    config: PaymentConfig | None
    amount_minor: int
    total_value: Decimal | None
    cash_reference: str | None = None
    _payment: dict[str, Any] | None = field(default=None, init=False, compare=False, repr=False)

    @property
    def mode(self) -> PaymentMode:
        """Return how it is paid; a reward without payment configuration is free."""
        return self.config.mode if self.config else PaymentMode.FREE

    def to_transfers(
        self, organization_id: UUID, payers: Payers, terms: Terms
    ) -> tuple[Transfer, ...]:
        """Return what the payer of an item gives up: nothing, or one transfer."""
        if self.config is None or self.config.asset_id is None or self.amount_minor == 0:
            return ()
        asset_id = self.config.asset_id
        taken = organization_account(asset_id, OwnerKind.REDEMPTION, organization_id)
        return (Transfer(payers.account_of(terms, asset_id), taken, self.amount_minor),)

    @property
    def payment(self) -> Mapping[str, Any]:
        """Return the payment as the grant's details keep it; made once, for all items that have this price."""
        if self._payment is None:
            self._payment = self._to_json()
        return self._payment

    def _to_json(self) -> dict[str, Any]:
        """Return it as JSON; what there is none of is left out."""
        config, total_value = self.config, self.total_value
        payment: dict[str, Any] = {"mode": self.mode, "amount_minor": self.amount_minor}
        if total_value is not None:
            payment["total_value"] = format(total_value, "f")
        if self.cash_reference is not None:
            payment["cash_reference"] = self.cash_reference
        return payment if config is None else payment | _terms_of(config)


def _terms_of(config: PaymentConfig) -> dict[str, Any]:
    ratio = config.conversion_ratio
    terms = {
        "config_id": str(config.id),
        "conversion_ratio": None if ratio is None else format(ratio, "f"),
        "asset_id": None if config.asset_id is None else str(config.asset_id),
        "cash_asset_id": None if config.cash_asset_id is None else str(config.cash_asset_id),
        "cash_amount_minor": config.cash_amount_minor,
    }
    return {name: value for name, value in terms.items() if value is not None}


class Prices:
    """The prices of a batch's items. What is asked for plainly, one of a reward without more, has one price for all of them."""

    def __init__(self, assets: Mapping[UUID, Asset]) -> None:
        """Take the assets that prices are counted in."""
        self._assets = assets
        self._plain: dict[UUID, Price | Refusal] = {}

    def price_of(self, item: IssueItem, reward: Reward) -> Price | Refusal:
        """Return what the item costs, or why it cannot be sold like this."""
        if item.payment is not None or item.quantity is not ONE:
            return price_item(item, reward, self._assets)
        price = self._plain.get(reward.id)
        if price is None:
            price = self._plain[reward.id] = price_item(item, reward, self._assets)
        return price


def price_item(item: IssueItem, reward: Reward, assets: Mapping[UUID, Asset]) -> Price | Refusal:
    """Return what the item costs, or why it cannot be sold like this."""
    config = _choose_config(item.payment, reward)
    if isinstance(config, Refusal):
        return config
    if refusal := _check_cash(config, item.cash_reference):
        return refusal
    if not (item.quantity.is_finite() and 1 <= item.quantity < QUANTITY_MAX + 1):
        message = f"quantity must be from 1 to {QUANTITY_MAX} after its fraction is dropped."
        return Refusal(StatusCode.INVALID_QUANTITY, (message,))
    if config is None or config.mode is not PaymentMode.CONV_RATIO:
        return _price_one(config, item.cash_reference, assets)
    quantity = 1 if _is_single(reward) else int(item.quantity)
    return _convert(item.payment or NO_CHOICE, quantity, config, assets)


def _check_cash(config: PaymentConfig | None, reference: str | None) -> Refusal | None:
    """Refuse a cash part without a reference, and a reference without a cash part."""
    has_cash = config is not None and config.cash_amount_minor is not None
    if has_cash and reference is None:
        message = "The payment has a cash part: name it in paymentConfig.cashReference."
        return Refusal(StatusCode.CASH_REFERENCE_REQUIRED, (message,))
    if reference is not None and not has_cash:
        message = "The payment has no cash part for paymentConfig.cashReference to name."
        return Refusal(StatusCode.CASH_REFERENCE_UNEXPECTED, (message,))
    return None


def _price_one(
    config: PaymentConfig | None, cash_reference: str | None, assets: Mapping[UUID, Asset]
) -> Price:
    """Return the fixed price of one: an amount of an asset, an amount of cash, both or neither."""
    if config is None or config.asset_id is None:
        return Price(1, config, 0, None, cash_reference)
    amount_minor = config.amount_minor or 0
    total_value = from_minor(amount_minor, assets[config.asset_id].scale)
    return Price(1, config, amount_minor, total_value, cash_reference)


def _is_single(reward: Reward) -> bool:
    """Tell whether more than one would be paid for and not be given: a member holds one code of a coupon."""
    if isinstance(reward.configuration, VendorVoucherConfiguration):
        return not reward.configuration.takes_quantity
    return reward.kind in SINGLE_KINDS


def _choose_config(choice: PaymentChoice | None, reward: Reward) -> PaymentConfig | Refusal | None:
    configs = reward.payment_configs
    if choice is not None and choice.config_id_as_sent is not None:
        named = [config for config in configs if config.id == choice.config_id]
        if not named:
            message = "The reward has no such payment configuration."
            return Refusal(StatusCode.PAYMENT_CONFIG_NOT_FOUND, (message,))
        return named[0]
    if len(configs) > 1:
        message = "The reward has several payment configurations: name one in paymentConfig.id."
        return Refusal(StatusCode.PAYMENT_CONFIG_REQUIRED, (message,))
    return configs[0] if configs else None


def _convert(
    choice: PaymentChoice, quantity: int, config: PaymentConfig, assets: Mapping[UUID, Asset]
) -> Price | Refusal:
    """Divide the value by the ratio and round half up to the asset's scale, once."""
    if config.asset_id is None or config.conversion_ratio is None:
        message = f"payment configuration {config.id} has no asset or ratio"
        raise ValueError(message)
    with localcontext(prec=DIGITS):
        total_value = choice.redemption_value * quantity
        exact = (total_value / config.conversion_ratio).scaleb(assets[config.asset_id].scale)
        amount_minor = int(exact.to_integral_value(ROUND_HALF_UP))
    if not 0 < amount_minor <= AMOUNT_MINOR_MAX:
        message = "The cost is out of bounds: it rounds to 0, or is too large."
        return Refusal(StatusCode.INVALID_QUANTITY, (message,))
    return Price(quantity, config, amount_minor, total_value)
