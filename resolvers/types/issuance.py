"""Results of an issuance, item by item (CAP-3, CAP-6, CAP-7, CAP-9, CAP-12, CAP-13, CAP-17)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import strawberry

from gateway.grants.record import GrantRecord
from gateway.ids import IdKind, encode_id
from gateway.issuing.model import ItemOutcome
from gateway.ledger.assets import from_minor
from gateway.ledger.statement import encode_entry_id
from gateway.rewards.model import PaymentMode
from resolvers.context import Info
from resolvers.fields import resolved
from resolvers.scalars import JSON
from resolvers.types.asset import Asset, to_asset
from resolvers.types.grant import Grant, to_grant
from resolvers.types.status import OperationStatus, to_status


@strawberry.type(description="How an item was paid for.")
class PaymentSummary:
    """The mode, the asset and the amounts, as they were when the item was issued."""

    payment: strawberry.Private[Mapping[str, Any]]

    payment_mode: PaymentMode = strawberry.field(description="The mode of payment.")
    id: strawberry.ID | None = strawberry.field(
        description="The payment configuration; null if the reward has none."
    )
    conversion_ratio: Decimal | None = strawberry.field(description="CONV_RATIO only: the ratio.")
    asset_id: strawberry.ID | None = strawberry.field(
        description="The asset redeemed, such as points or miles; null if none was."
    )
    total_redemption_value: Decimal | None = strawberry.field(
        description="The value redeemed: of all units for CONV_RATIO, the amount of the asset for POINTS and POINTS_CASH."
    )
    cash_asset_id: strawberry.ID | None = strawberry.field(
        description="The currency of the cash part, which is paid outside the gateway; null if none."
    )
    cash_reference: str | None = strawberry.field(
        description="The caller's reference of the cash payment; null if there is none."
    )

    @resolved("The asset redeemed, such as points or miles; null if none was.")
    async def asset(self, info: Info) -> Asset | None:
        """Load the asset."""
        asset_id = self.payment["asset_id"]
        if asset_id is None:
            return None
        asset = await info.context.loaders.known_assets.load(UUID(asset_id))
        return to_asset(asset) if asset else None

    @resolved(
        "What left the member's balance, in units of the asset redeemed; null if nothing did."
    )
    async def points_redeemed(self, info: Info) -> Decimal | None:
        """Return the amount in the asset's own decimals."""
        return await _load_amount(info, self.payment["asset_id"], self.payment["amount_minor"])

    @resolved("The cash part, in units of its currency; null if there is none.")
    async def cash_amount(self, info: Info) -> Decimal | None:
        """Return the amount in the currency's own decimals."""
        return await _load_amount(
            info, self.payment["cash_asset_id"], self.payment["cash_amount_minor"]
        )


@strawberry.type(description="What became of one item.")
class IssuanceResult:
    """An item's status, what was sent, and what was issued."""

    index: int = strawberry.field(description="The item's place in the call, from 0.")
    status: OperationStatus = strawberry.field(description="Whether the reward was issued.")
    reward_id: strawberry.ID = strawberry.field(description="As sent.")
    org_id: strawberry.ID = strawberry.field(description="The organisation whose reward it is.")
    requested_quantity: Decimal = strawberry.field(description="As sent.")
    quantity: int = strawberry.field(
        description="How many were issued; 0 on failure, and while it is pending."
    )
    transaction_id: strawberry.ID | None = strawberry.field(
        description="The ledger transaction of the item; null on failure, and while it is pending."
    )
    points_reference_ids: list[strawberry.ID] = strawberry.field(
        description="The ledger entries that took the payment from the member; empty if nothing was taken."
    )
    request_id: str | None = strawberry.field(description="As sent.")
    event_log_id: str | None = strawberry.field(description="As sent.")
    params: JSON | None = strawberry.field(
        description="As sent with the item, or else with its organisation."
    )
    payment: PaymentSummary | None = strawberry.field(
        description="How it was paid for; null on failure, and while it is pending."
    )
    grant: Grant | None = strawberry.field(
        description="The grant, with what the member got; null if there is none. Pending and declined grants are shown."
    )
    notes: str | None = strawberry.field(description="The notes of its organisation, as sent.")
    group_redemption: bool = strawberry.field(description="Whether a group redeems it.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with the item's own request id did the work."
    )


async def _load_amount(
    info: Info, asset_id: str | None, amount_minor: int | None
) -> Decimal | None:
    """Return an amount in its asset's own decimals; None without an asset or amount."""
    if asset_id is None or not amount_minor:
        return None
    asset = await info.context.loaders.known_assets.load(UUID(asset_id))
    return from_minor(amount_minor, asset.scale) if asset else None


def to_result(outcome: ItemOutcome) -> IssuanceResult:
    """Return an item's outcome, and what applied to it, as its GraphQL type."""
    item, terms, grant = outcome.item, outcome.terms, outcome.grant
    issued = grant if outcome.quantity else None
    return IssuanceResult(
        index=outcome.index,
        status=to_status(outcome.status),
        reward_id=strawberry.ID(item.reward_id_as_sent),
        org_id=strawberry.ID(encode_id(IdKind.ORGANISATION, terms.organisation_id)),
        requested_quantity=item.quantity,
        quantity=outcome.quantity,
        transaction_id=_transaction_id(issued) if issued else None,
        points_reference_ids=_payment_entries(issued) if issued else [],
        request_id=item.request_id,
        event_log_id=item.event_log_id,
        params=JSON(dict(terms.params)) if terms.params is not None else None,
        payment=_to_summary(issued.details["payment"]) if issued else None,
        grant=to_grant(grant) if grant else None,
        notes=terms.notes,
        group_redemption=terms.group is not None,
        idempotent_replay=outcome.idempotent_replay,
    )


def _transaction_id(grant: GrantRecord) -> strawberry.ID:
    return strawberry.ID(encode_id(IdKind.TRANSACTION, grant.transaction_id))


def _payment_entries(grant: GrantRecord) -> list[strawberry.ID]:
    """Return the payer's side of the payment, which is posted before anything else of the grant."""
    if not grant.details["payment"]["amount_minor"]:
        return []
    return [strawberry.ID(encode_entry_id(grant.transaction_id, grant.entry_from))]


def _to_summary(payment: Mapping[str, Any]) -> PaymentSummary:
    ratio, value = payment["conversion_ratio"], payment["total_value"]
    return PaymentSummary(
        payment=payment,
        payment_mode=PaymentMode(payment["mode"]),
        id=_to_id(IdKind.PAYMENT_CONFIG, payment["config_id"]),
        conversion_ratio=Decimal(ratio) if ratio is not None else None,
        asset_id=_to_id(IdKind.ASSET, payment["asset_id"]),
        total_redemption_value=Decimal(value) if value is not None else None,
        cash_asset_id=_to_id(IdKind.ASSET, payment["cash_asset_id"]),
        cash_reference=payment.get("cash_reference"),
    )


def _to_id(kind: IdKind, value: str | None) -> strawberry.ID | None:
    return strawberry.ID(f"{kind.value}{value}") if value is not None else None
