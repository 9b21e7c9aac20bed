"""Results of an issuance, item by item (CAP-3, CAP-6, CAP-7, CAP-9, CAP-12, CAP-13, CAP-17)."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from decimal import Decimal
from typing import Any

import strawberry

from gateway.grants.record import GrantRecord
from gateway.ids import IdKind, encode_id
from gateway.issuing.model import ItemOutcome
from gateway.ledger.assets import from_minor
from gateway.ledger.statement import encode_entry_id
from gateway.rewards.model import PaymentMode
from resolvers.codes import view_issued
from resolvers.context import Info
from resolvers.fields import resolved
from resolvers.scalars import JSON
from resolvers.types.asset import Asset, to_asset
from resolvers.types.grant import Grant, to_issued_grant
from resolvers.types.status import OperationStatus, to_status

_TRANSACTION = IdKind.TRANSACTION.value
# What a stored mode stands for: calling the class costs four times as much.
_MODES = {mode.value: mode for mode in PaymentMode}


@strawberry.type(description="How an item was paid for.")
class PaymentSummary:
    """The mode, the asset and the amounts, as they were when the item was issued: what there is none of may be left out."""

    payment: strawberry.Private[Mapping[str, Any]]

    def __init__(self, payment: Mapping[str, Any]) -> None:
        """Keep the payment; by position, like the result."""
        self.payment = payment

    @resolved("The mode of payment.")
    def payment_mode(self) -> PaymentMode:
        """Return what the grant keeps."""
        return _MODES[self.payment["mode"]]

    @resolved("The payment configuration; null if the reward has none.")
    def id(self) -> strawberry.ID | None:
        """Name the configuration."""
        return _to_id(IdKind.PAYMENT_CONFIG, self.payment.get("config_id"))

    @resolved("CONV_RATIO only: the ratio.")
    def conversion_ratio(self) -> Decimal | None:
        """Return what the grant keeps."""
        return _to_decimal(self.payment.get("conversion_ratio"))

    @resolved("The asset redeemed, such as points or miles; null if none was.")
    def asset_id(self) -> strawberry.ID | None:
        """Name the asset."""
        return _to_id(IdKind.ASSET, self.payment.get("asset_id"))

    @resolved(
        "The value redeemed: of all units for CONV_RATIO, the amount of the asset for POINTS and POINTS_CASH."
    )
    def total_redemption_value(self) -> Decimal | None:
        """Return what the grant keeps."""
        return _to_decimal(self.payment.get("total_value"))

    @resolved("The currency of the cash part, which is paid outside the gateway; null if none.")
    def cash_asset_id(self) -> strawberry.ID | None:
        """Name the asset."""
        return _to_id(IdKind.ASSET, self.payment.get("cash_asset_id"))

    @resolved("The caller's reference of the cash payment; null if there is none.")
    def cash_reference(self) -> str | None:
        """Return what the grant keeps."""
        reference: str | None = self.payment.get("cash_reference")
        return reference

    @resolved(
        "The asset redeemed, such as points or miles; null if none was.",
        graphql_type=Asset | None,
    )
    def asset(self, info: Info) -> Asset | Awaitable[Asset] | None:
        """Return the asset: at once if the process has met it before."""
        asset_id = self.payment.get("asset_id")
        if asset_id is None:
            return None
        return info.context.loaders.with_asset_by_text(asset_id, to_asset)

    @resolved(
        "What left the member's balance, in units of the asset redeemed; null if nothing did.",
        graphql_type=Decimal | None,
    )
    def points_redeemed(self, info: Info) -> Decimal | Awaitable[Decimal] | None:
        """Return the amount in the asset's own decimals."""
        return _to_amount(info, self.payment.get("asset_id"), self.payment["amount_minor"])

    @resolved(
        "The cash part, in units of its currency; null if there is none.",
        graphql_type=Decimal | None,
    )
    def cash_amount(self, info: Info) -> Decimal | Awaitable[Decimal] | None:
        """Return the amount in the currency's own decimals."""
        return _to_amount(
            info, self.payment.get("cash_asset_id"), self.payment.get("cash_amount_minor")
        )


@strawberry.type(description="What became of one item.")
class IssuanceResult:
    """An item's status, what was sent, and what was issued; nothing is made of it that is not selected."""

    outcome: strawberry.Private[ItemOutcome]
    is_dry_run: strawberry.Private[bool]

    def __init__(self, outcome: ItemOutcome, is_dry_run: bool) -> None:
        """Keep the outcome; by position, which is twice as fast as the names that Strawberry's own would want."""
        self.outcome = outcome
        self.is_dry_run = is_dry_run

    @resolved("The item's place in the call, from 0.")
    def index(self) -> int:
        """Return what the outcome has."""
        return self.outcome.index

    @resolved("Whether the reward was issued.")
    def status(self) -> OperationStatus:
        """Return what the outcome has."""
        return to_status(self.outcome.status)

    @resolved("As sent.")
    def reward_id(self) -> strawberry.ID:
        """Return what the item has."""
        return self.outcome.item.reward_id_as_sent  # type: ignore[return-value]  # an ID is a string

    @resolved("The organization whose reward it is.")
    def org_id(self) -> strawberry.ID:
        """Name the organization."""
        return strawberry.ID(encode_id(IdKind.ORGANIZATION, self.outcome.terms.organization_id))

    @resolved("As sent.")
    def requested_quantity(self) -> Decimal:
        """Return what the item has."""
        return self.outcome.item.quantity

    @resolved("How many were issued; 0 on failure, and while it is pending.")
    def quantity(self) -> int:
        """Return what the outcome has."""
        return self.outcome.quantity

    @resolved("The ledger transaction of the item; null on failure, and while it is pending.")
    def transaction_id(self) -> strawberry.ID | None:
        """Name the transaction."""
        grant = self._issued()
        if grant is None:
            return None
        # A mutation's list makes many: the steps of `encode_id` would cost as much again.
        return f"{_TRANSACTION}{grant.transaction_id}"  # type: ignore[return-value]  # an ID is a string

    @resolved(
        "The ledger entries that took the payment from the member; empty if nothing was taken."
    )
    def points_reference_ids(self) -> list[strawberry.ID]:
        """Name the payer's side of the payment, which is posted before anything else of the grant."""
        grant = self._issued()
        if grant is None or not grant.details["payment"]["amount_minor"]:
            return []
        return [strawberry.ID(encode_entry_id(grant.transaction_id, grant.entry_from))]

    @resolved("As sent.")
    def request_id(self) -> str | None:
        """Return what the item has."""
        return self.outcome.item.request_id

    @resolved("As sent.")
    def event_log_id(self) -> str | None:
        """Return what the item has."""
        return self.outcome.item.event_log_id

    @resolved("As sent with the item, or else with its organization.")
    def params(self) -> JSON | None:
        """Return what applied to the item."""
        params = self.outcome.terms.params
        return None if params is None else JSON(dict(params))

    @resolved("How it was paid for; null on failure, and while it is pending.")
    def payment(self) -> PaymentSummary | None:
        """Return what the grant keeps of the payment."""
        grant = self._issued()
        return None if grant is None else PaymentSummary(grant.details["payment"])

    @resolved(
        "The grant, with what the member got; null if there is none. Pending and declined grants are shown."
    )
    def grant(self) -> Grant | None:
        """Return the outcome's grant."""
        grant = self.outcome.grant
        if grant is None:
            return None
        outcome = self.outcome
        is_dry_run = self.is_dry_run and not outcome.idempotent_replay
        view = view_issued(outcome.status.code, is_dry_run=is_dry_run)
        return to_issued_grant(grant, view)

    @resolved("The notes of its organization, as sent.")
    def notes(self) -> str | None:
        """Return what applied to the item."""
        return self.outcome.terms.notes

    @resolved("Whether a group redeems it.")
    def group_redemption(self) -> bool:
        """Return what applied to the item."""
        return self.outcome.terms.group is not None

    @resolved("True if an earlier call with the item's own request id did the work.")
    def idempotent_replay(self) -> bool:
        """Return what the outcome has."""
        return self.outcome.idempotent_replay

    def _issued(self) -> GrantRecord | None:
        """Return the grant if it was issued: neither pending, nor declined, nor held already."""
        return self.outcome.grant if self.outcome.quantity else None


def _to_amount(
    info: Info, asset_id: str | None, amount_minor: int | None
) -> Decimal | Awaitable[Decimal] | None:
    """Return an amount in its asset's own decimals; None without an asset or amount."""
    if asset_id is None or not amount_minor:
        return None
    return info.context.loaders.with_asset_by_text(
        asset_id, lambda asset: from_minor(amount_minor, asset.scale)
    )


def _to_id(kind: IdKind, value: str | None) -> strawberry.ID | None:
    return None if value is None else strawberry.ID(kind + value)


def _to_decimal(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
