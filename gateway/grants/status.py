"""What became of one item of a batch: a stable code and a sentence for a person."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from gateway.errors import RewardsError


class StatusCode(enum.StrEnum):
    """Stable codes of per-item results."""

    GRANTED = "GRANTED"
    ALREADY_ISSUED = "ALREADY_ISSUED"
    QUANTITY_REDUCED = "QUANTITY_REDUCED"
    CLAIMED = "CLAIMED"
    ALREADY_CLAIMED = "ALREADY_CLAIMED"
    NOT_CLAIMABLE = "NOT_CLAIMABLE"
    GRANT_NOT_FOUND = "GRANT_NOT_FOUND"
    REWARD_NOT_FOUND = "REWARD_NOT_FOUND"
    REWARD_INACTIVE = "REWARD_INACTIVE"
    ASSET_FORBIDDEN = "ASSET_FORBIDDEN"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    POOL_EXHAUSTED = "POOL_EXHAUSTED"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    BALANCE_TOO_HIGH = "BALANCE_TOO_HIGH"
    PAYMENT_CONFIG_REQUIRED = "PAYMENT_CONFIG_REQUIRED"
    PAYMENT_CONFIG_NOT_FOUND = "PAYMENT_CONFIG_NOT_FOUND"
    INVALID_QUANTITY = "INVALID_QUANTITY"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    RECIPIENT_NOT_FOUND = "RECIPIENT_NOT_FOUND"
    INVALID_LINE = "INVALID_LINE"
    CASH_REFERENCE_REQUIRED = "CASH_REFERENCE_REQUIRED"
    CASH_REFERENCE_UNEXPECTED = "CASH_REFERENCE_UNEXPECTED"
    CASH_REFERENCE_TAKEN = "CASH_REFERENCE_TAKEN"
    NOT_IN_SEGMENT = "NOT_IN_SEGMENT"
    CARD_INACTIVE = "CARD_INACTIVE"
    LABEL_INACTIVE = "LABEL_INACTIVE"
    INVALID_CUSTOM_FIELD = "INVALID_CUSTOM_FIELD"
    STAGE_NOT_FOUND = "STAGE_NOT_FOUND"
    BUDGET_EXHAUSTED = "BUDGET_EXHAUSTED"
    LIMIT_REACHED = "LIMIT_REACHED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"
    CAMPAIGN_INACTIVE = "CAMPAIGN_INACTIVE"
    OUTSIDE_PERIOD = "OUTSIDE_PERIOD"
    NOT_TRIGGERED = "NOT_TRIGGERED"
    CONDITION_NOT_MET = "CONDITION_NOT_MET"
    CONDITION_FAILED = "CONDITION_FAILED"
    TIER_NOT_CHOSEN = "TIER_NOT_CHOSEN"
    PENDING = "PENDING"
    VENDOR_DECLINED = "VENDOR_DECLINED"
    REVERSED = "REVERSED"
    ALREADY_REVERSED = "ALREADY_REVERSED"
    BENEFIT_SPENT = "BENEFIT_SPENT"
    NOT_REVERSIBLE = "NOT_REVERSIBLE"

    # Its own would call Python; every item of a batch is asked several times whether it succeeded.
    __hash__ = str.__hash__

    @property
    def is_success(self) -> bool:
        """Tell whether the item's effect is there, by this call or an earlier one."""
        return self in _SUCCESSES

    @property
    def has_effect(self) -> bool:
        """Tell whether something was written for the item: it succeeded, or is on its way."""
        return self.is_success or self is StatusCode.PENDING


_SUCCESSES = frozenset(
    {
        StatusCode.GRANTED,
        StatusCode.ALREADY_ISSUED,
        StatusCode.QUANTITY_REDUCED,
        StatusCode.CLAIMED,
        StatusCode.ALREADY_CLAIMED,
        StatusCode.REVERSED,
        StatusCode.ALREADY_REVERSED,
    }
)


@dataclass(frozen=True, slots=True)
class ItemStatus:
    """One item's result."""

    code: StatusCode
    message: str

    @property
    def is_success(self) -> bool:
        """Tell whether the item's effect is there."""
        return self.code.is_success


ALREADY_ISSUED = ItemStatus(
    StatusCode.ALREADY_ISSUED, "The member holds a code of this reward already; none was drawn."
)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a line is not granted: every reason, the first one giving the code; and the error that says more, if there is one."""

    code: StatusCode
    reasons: tuple[str, ...]
    error: RewardsError | None = None

    @property
    def status(self) -> ItemStatus:
        """Return the item's result."""
        return ItemStatus(self.code, " ".join(self.reasons))
