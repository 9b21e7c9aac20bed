"""The one family of expected failures, with codes that stay stable for clients."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass


class ErrorCode(enum.StrEnum):
    """Stable codes of expected failures."""

    INVALID_INPUT = "INVALID_INPUT"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    FORBIDDEN = "FORBIDDEN"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    IDEMPOTENCY_CONFLICT = "IDEMPOTENCY_CONFLICT"
    REQUEST_IN_PROGRESS = "REQUEST_IN_PROGRESS"
    INSUFFICIENT_BALANCE = "INSUFFICIENT_BALANCE"
    REWARD_INACTIVE = "REWARD_INACTIVE"
    OUT_OF_STOCK = "OUT_OF_STOCK"
    POOL_EXHAUSTED = "POOL_EXHAUSTED"
    DISTRIBUTION_REJECTED = "DISTRIBUTION_REJECTED"
    NOT_REVERSIBLE = "NOT_REVERSIBLE"
    OVERLOADED = "OVERLOADED"
    OPERATION_FENCED = "OPERATION_FENCED"
    HOLD_ENDED = "HOLD_ENDED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    LIMIT_EXCEEDED = "LIMIT_EXCEEDED"

    @property
    def http_status(self) -> int:
        """Return the HTTP status that the four source APIs would answer."""
        return _HTTP_STATUS[self]


_HTTP_STATUS = {
    ErrorCode.INVALID_INPUT: 400,
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.INSUFFICIENT_BALANCE: 402,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.ALREADY_EXISTS: 409,
    ErrorCode.IDEMPOTENCY_CONFLICT: 409,
    ErrorCode.REQUEST_IN_PROGRESS: 409,
    ErrorCode.REWARD_INACTIVE: 422,
    ErrorCode.OUT_OF_STOCK: 422,
    ErrorCode.POOL_EXHAUSTED: 422,
    ErrorCode.DISTRIBUTION_REJECTED: 422,
    ErrorCode.NOT_REVERSIBLE: 422,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.OPERATION_FENCED: 409,
    ErrorCode.HOLD_ENDED: 422,
    ErrorCode.DEADLINE_EXCEEDED: 504,
    ErrorCode.LIMIT_EXCEEDED: 429,
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One broken rule of the input: where, which rule, and a sentence for a person.

    `path` holds GraphQL input names and list indexes, for example `("input", "rewards", "3", "xpReward")`.
    """

    path: tuple[str, ...]
    rule: str
    message: str


class RewardsError(Exception):
    """An expected failure that a caller can act on; anything else is a fault and is masked."""

    code: ErrorCode = ErrorCode.INVALID_INPUT

    def __init__(self, message: str, path: Sequence[str] = ()) -> None:
        """Keep the sentence for the caller and the input path it is about."""
        super().__init__(message)
        self.message = message
        self.path = tuple(path)


class InvalidInput(RewardsError):
    """The input breaks one or more rules; every one is listed and nothing was written."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        """Take at least one broken rule; the first gives the summary."""
        first = errors[0]
        super().__init__(first.message, first.path)
        self.errors = tuple(errors)


class Unauthenticated(RewardsError):
    """No credential, or one that is unknown, expired or revoked."""

    code = ErrorCode.UNAUTHENTICATED


class Forbidden(RewardsError):
    """The credential is valid but its scopes do not allow this."""

    code = ErrorCode.FORBIDDEN


class OutOfReach(RewardsError):
    """The input names what the credential's own record does not reach; nothing was done."""

    code = ErrorCode.FORBIDDEN


class NotFound(RewardsError):
    """Nothing of that id is visible to the caller: absent and foreign look the same."""

    code = ErrorCode.NOT_FOUND


class AlreadyExists(RewardsError):
    """The id or name is taken."""

    code = ErrorCode.ALREADY_EXISTS


class Overloaded(RewardsError):
    """The gateway is too busy to take this now; nothing was done and a retry is safe."""

    code = ErrorCode.OVERLOADED


class DeadlineExceeded(Overloaded):
    """It takes longer than it may."""

    code = ErrorCode.DEADLINE_EXCEEDED
