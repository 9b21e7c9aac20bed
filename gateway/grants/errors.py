"""Refusals of a whole call, as data."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import ErrorCode, RewardsError
from gateway.grants.status import Refusal, StatusCode
from gateway.ledger.assets import Asset

_ERROR_CODES = {
    StatusCode.REWARD_NOT_FOUND: ErrorCode.NOT_FOUND,
    StatusCode.REWARD_INACTIVE: ErrorCode.REWARD_INACTIVE,
    StatusCode.ASSET_FORBIDDEN: ErrorCode.FORBIDDEN,
    StatusCode.OUT_OF_STOCK: ErrorCode.OUT_OF_STOCK,
    StatusCode.POOL_EXHAUSTED: ErrorCode.POOL_EXHAUSTED,
}


class RewardUnavailable(RewardsError):
    """The reward exists and cannot be granted now: inactive, out of stock, its pool is empty, or its asset is another's."""

    def __init__(self, refusal: Refusal, path: tuple[str, ...]) -> None:
        """Take the line's refusal; its code becomes the error's."""
        super().__init__(" ".join(refusal.reasons), path)
        self.code = _ERROR_CODES.get(refusal.code, ErrorCode.INVALID_INPUT)
        self.refusal = refusal


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One asset of which the payer has too little, in minor units."""

    asset: Asset
    required_minor: int
    available_minor: int

    @property
    def missing_minor(self) -> int:
        """Return how much more is needed."""
        return self.required_minor - self.available_minor


class InsufficientBalance(RewardsError):
    """The payer cannot pay for the whole call; nothing was issued and nothing deducted (CAP-2)."""

    code = ErrorCode.INSUFFICIENT_BALANCE

    def __init__(
        self, shortfalls: tuple[Shortfall, ...], path: tuple[str, ...] = ("input", "rewards")
    ) -> None:
        """Take one shortfall for each asset that does not suffice."""
        super().__init__("The balance is too low for this call.", path)
        self.shortfalls = shortfalls


class NotReversible(RewardsError):
    """The grant cannot be taken back: it was before, or the member has spent what it gave."""

    code = ErrorCode.NOT_REVERSIBLE
