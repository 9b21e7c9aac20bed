"""A grant as the ledger's facts and the catalog's snapshot record it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


class GrantStatus(enum.StrEnum):
    """Where a grant stands. CLAIMED means that its benefit is in the member's hands."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    CLAIMED = "CLAIMED"
    DECLINED = "DECLINED"
    EXPIRED = "EXPIRED"
    REVERSED = "REVERSED"


class GrantSource(enum.StrEnum):
    """Which use case made the grant."""

    MANUAL = "MANUAL"
    PARTNER_ACTION = "PARTNER_ACTION"
    ISSUANCE = "ISSUANCE"
    DISTRIBUTION = "DISTRIBUTION"
    CAMPAIGN = "CAMPAIGN"


class GrantKind(enum.StrEnum):
    """Which kind of reward was granted; the first six stand in the catalog."""

    POINTS = "POINTS"
    PRODUCT = "PRODUCT"
    COMPETITION_ENTRY = "COMPETITION_ENTRY"
    UNIQUE_COUPON = "UNIQUE_COUPON"
    NON_UNIQUE_COUPON = "NON_UNIQUE_COUPON"
    VENDOR_VOUCHER = "VENDOR_VOUCHER"
    CUSTOM = "CUSTOM"
    CURRENCY = "CURRENCY"


# What a column's text stands for: calling the class costs eight times as much.
STATUSES = {status.value: status for status in GrantStatus}
SOURCES = {source.value: source for source in GrantSource}
KINDS = {kind.value: kind for kind in GrantKind}


@dataclass(slots=True)
class GrantRecord:
    """One row of `grants`. Not changed once made: freezing it would only make it four times as dear.

    `benefits` lists what the member got, each a JSON object with a `kind` and ids as text:
    `{"kind": "ASSET_CREDIT", "asset_id", "amount_minor"}`,
    `{"kind": "PRODUCT_UNITS", "product_id", "quantity"}`,
    `{"kind": "COMPETITION_ENTRIES", "competition_id", "entries"}`,
    `{"kind": "COUPON_CODE", "sealed_code", "expires_at", "discount_type", "discount_value"}` (the last three may be null), with
    the `"code_id"` of a pool's code: see `codes.py`,
    `{"kind": "VENDOR_VOUCHER", "sealed_code", "valid_till", "offer_name", "series_id", "voucher_quantity"}` (those in the middle
    may be null), with `"paid_asset_id", "paid_minor"` if it was paid for.
    A pending grant has no benefits yet, and its transaction is recorded when its vendor has issued; a declined one has none.
    `details` holds what only some sources have: an issued item's request id, event-log id, params, quantities and payment
    summary; what members may read beside the benefit, as `member_metadata`; a distribution line's description; a campaign's id, with the event and tier that it was given for; of a declined
    grant the `decline_reason`.
    The entries of the grant stand in transaction `transaction_id` at indexes from `entry_from` up to, not including, `entry_to`.
    """

    id: UUID
    organization_id: UUID
    member_id: UUID
    operation_id: UUID
    line_index: int
    source: GrantSource
    kind: GrantKind
    status: GrantStatus
    reward_id: UUID | None
    reward_version_id: UUID | None
    action_code: str | None
    client_reference: str | None
    metadata: Mapping[str, Any]
    benefits: Sequence[Mapping[str, Any]]
    details: Mapping[str, Any]
    rewarded_at: datetime
    transaction_id: UUID
    entry_from: int
    entry_to: int
    claimed_at: datetime | None = None
    expires_at: datetime | None = None
    reversed_at: datetime | None = None
    claim_transaction_id: UUID | None = None
    reversal_transaction_id: UUID | None = None

    @property
    def member_metadata(self) -> Mapping[str, Any]:
        """Return what the partner lets the member read with the grant."""
        found: Mapping[str, Any] = self.details.get("member_metadata", {})
        return found
