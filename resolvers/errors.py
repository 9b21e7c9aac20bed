"""Business failures as typed results, and the one table from domain errors to them.

A resolver lets domain errors rise: if the field's union has the member that the table names, the member is the answer. An
error without one becomes a top-level error with its code in `extensions`: so missing credentials and scopes always do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import strawberry
from strawberry import ExceptionHandler
from strawberry.types.field import StrawberryField

from gateway import errors as domain
from gateway.counters import note_code
from gateway.distributing import outcome as distributing
from gateway.errors import ErrorCode
from gateway.grants import errors as grants
from gateway.ids import IdKind, encode_id
from gateway.ledger import limits
from gateway.ledger import model as ledger
from gateway.ledger.assets import from_minor
from gateway.operations import model as operations
from resolvers.enums import expose_enum
from resolvers.types.distribution import DistributionFailure, to_failures

expose_enum(
    ErrorCode,
    "Stable codes of expected failures. Codes may be added; none changes its meaning.",
    {
        "INVALID_INPUT": "The input breaks a rule.",
        "UNAUTHENTICATED": "No credential, or one that is unknown, expired or revoked.",
        "FORBIDDEN": "The credential does not allow this.",
        "NOT_FOUND": "Nothing of that id is visible to the caller.",
        "ALREADY_EXISTS": "The id or name is taken.",
        "IDEMPOTENCY_CONFLICT": "The idempotency key was used before with other input.",
        "REQUEST_IN_PROGRESS": "Another request with this idempotency key is still running.",
        "INSUFFICIENT_BALANCE": "The balance is lower than the amount needed.",
        "REWARD_INACTIVE": "The reward is not active, so nobody can be granted it.",
        "OUT_OF_STOCK": "The product has too few units left.",
        "POOL_EXHAUSTED": "The pool has no free coupon code left.",
        "DISTRIBUTION_REJECTED": "No line of the distribution succeeded.",
        "NOT_REVERSIBLE": "The grant cannot be taken back in its present state.",
        "OVERLOADED": "The gateway is too busy, or its database is away; a retry with the same key is safe.",
        "DEADLINE_EXCEEDED": "It took longer than it may and was broken off; a retry with the same key is safe.",
        "LIMIT_EXCEEDED": "The credential's daily limit of the asset has too little left.",
        "HOLD_ENDED": "The hold was captured, released or has expired: it ends once.",
        "OPERATION_FENCED": "The idempotency key was fenced: nothing was done under it, and nothing will be.",
    },
)


@strawberry.interface(
    description="A business failure: an expected answer that the caller can act on."
)
class Error:
    """What every business failure says."""

    code: ErrorCode = strawberry.field(description="Stable code to branch on.")
    message: str = strawberry.field(
        description="One sentence for a person; its wording may change."
    )
    path: list[str] = strawberry.field(
        description="The input field it is about, from `input` down; empty if it is about the whole request."
    )
    http_status: int = strawberry.field(description="The HTTP status a REST API would answer.")


@strawberry.type(description="One broken rule of the input.")
class FieldError:
    """Where, which rule, and why."""

    path: list[str] = strawberry.field(
        description="The input field, from `input` down, with list indexes as numbers."
    )
    rule: str = strawberry.field(
        description="Short stable name of the rule, such as `required` or `length`."
    )
    message: str = strawberry.field(
        description="One sentence for a person; its wording may change."
    )


@strawberry.type(description="The input breaks one or more rules. Nothing was written.")
class InvalidInput(Error):
    """Every broken rule at once."""

    field_errors: list[FieldError] = strawberry.field(
        description="Every broken rule, in input order."
    )


@strawberry.type(
    description="What the input names does not exist, or belongs to somebody else: the two look the same."
)
class NotFound(Error):
    """An unknown or foreign id."""


@strawberry.type(
    description="The credential is valid but does not allow what the input asks for: `path` names what another organization owns. Nothing was done."
)
class Forbidden(Error):
    """What another organization owns, an organization out of reach, or validation that may not be skipped.

    Missing scopes are top-level errors instead.
    """


@strawberry.type(
    description="The credential may issue no such amount of the asset today. Nothing was written, and the key is free again."
)
class LimitExceeded(Error):
    """What is left of a daily limit."""

    asset_id: strawberry.ID = strawberry.field(description="The asset's GUID.")
    asset_code: str = strawberry.field(description="The asset's code, such as USD.")
    daily_maximum: Decimal = strawberry.field(
        description="How much of it the credential may issue in a day."
    )
    left: Decimal = strawberry.field(description="How much of it may still be issued.")
    resets_at: datetime = strawberry.field(
        description="When the limit begins anew: the next midnight, UTC."
    )


@strawberry.type(description="The id or name is taken. Nothing was written.")
class Conflict(Error):
    """A clash with something that exists."""


@strawberry.type(
    description="The idempotency key was used before with other input, or (code OPERATION_FENCED) fenced. Nothing was done."
)
class IdempotencyConflict(Error):
    """Which fields differ from the first use."""

    differing_fields: list[str] = strawberry.field(
        description="Input fields whose values differ from the first request's; none of a fenced key."
    )


@strawberry.type(
    description="Another request with this idempotency key is still running. Ask again with the same key."
)
class RequestInProgress(Error):
    """A key in use at this moment."""


@strawberry.type(description="An asset of which the payer has too little.")
class Shortfall:
    """How much is needed and how much is there."""

    asset_id: strawberry.ID = strawberry.field(description="The asset that is short.")
    required: Decimal = strawberry.field(description="What the whole request needs.")
    available: Decimal = strawberry.field(description="What can be spent now: posted less held.")
    missing: Decimal = strawberry.field(description="Required less available.")


@strawberry.type(
    description="The balance is lower than what the whole request needs. Nothing was issued and nothing deducted."
)
class InsufficientBalance(Error):
    """Every asset that is short."""

    shortfalls: list[Shortfall] = strawberry.field(
        description="One entry for each asset that is short."
    )


@strawberry.type(
    description="The reward cannot be granted now: inactive, out of stock, its code pool exhausted, or (FORBIDDEN) of an asset that its organization may not credit; `code` says which."
)
class RewardUnavailable(Error):
    """A reward's status, stock or pool forbids it."""


@strawberry.type(
    description="Not one line of the distribution could be applied. Nothing was written and the request id is free again."
)
class DistributionRejected(Error):
    """The reasons of every line."""

    request_id: str = strawberry.field(description="The request id, which may be used again.")
    errors: list[str] = strawberry.field(description="Every different reason, once.")
    failures: list[DistributionFailure] = strawberry.field(
        description="The lines and their reasons, in the order sent."
    )


@strawberry.type(description="The grant cannot be reversed in its present state.")
class NotReversible(Error):
    """Reversed before, or its benefit is spent."""


@strawberry.type(description="The hold was captured or released before, or its time is over.")
class HoldEnded(Error):
    """A hold ends once."""


@strawberry.type(
    description="The gateway is too busy, or its database is away. Send the same request with the same key again: it is done once."
)
class Overloaded(Error):
    """A safe moment to try again later."""


Details: TypeAlias = Callable[[Any], Mapping[str, Any]]


def _no_details(_: domain.RewardsError) -> Mapping[str, Any]:
    return {}


def _field_errors(error: domain.InvalidInput) -> Mapping[str, Any]:
    return {
        "field_errors": [
            FieldError(path=list(broken.path), rule=broken.rule, message=broken.message)
            for broken in error.errors
        ]
    }


def _differing_fields(error: operations.IdempotencyConflict) -> Mapping[str, Any]:
    return {"differing_fields": list(error.differing_fields)}


def _rejection(error: distributing.DistributionRejected) -> Mapping[str, Any]:
    reasons = [reason for result in error.results for reason in result.reasons]
    return {
        "request_id": error.request_id,
        "errors": list(dict.fromkeys(reasons)),
        "failures": to_failures(error.results),
    }


def _limit(error: limits.LimitExceeded) -> Mapping[str, Any]:
    limit = error.limit
    return {
        "asset_id": strawberry.ID(encode_id(IdKind.ASSET, limit.asset_id)),
        "asset_code": limit.asset_code,
        "daily_maximum": from_minor(limit.maximum_minor, limit.scale),
        "left": from_minor(error.left_minor, limit.scale),
        "resets_at": error.resets_at,
    }


def _shortfalls(error: grants.InsufficientBalance) -> Mapping[str, Any]:
    return {
        "shortfalls": [
            Shortfall(
                asset_id=strawberry.ID(encode_id(IdKind.ASSET, short.asset.id)),
                required=from_minor(short.required_minor, short.asset.scale),
                available=from_minor(short.available_minor, short.asset.scale),
                missing=from_minor(short.missing_minor, short.asset.scale),
            )
            for short in error.shortfalls
        ]
    }


# The one table. Each domain error's row holds for its subclasses too, unless they have their own.
# `gateway.errors.Forbidden` and `Unauthenticated` have no row on purpose: they are top-level errors.
ANSWERS: dict[type[domain.RewardsError], tuple[type[Error], Details]] = {
    domain.InvalidInput: (InvalidInput, _field_errors),
    domain.NotFound: (NotFound, _no_details),
    domain.OutOfReach: (Forbidden, _no_details),
    domain.AlreadyExists: (Conflict, _no_details),
    domain.Overloaded: (Overloaded, _no_details),
    limits.LimitExceeded: (LimitExceeded, _limit),
    operations.IdempotencyConflict: (IdempotencyConflict, _differing_fields),
    operations.RequestInProgress: (RequestInProgress, _no_details),
    grants.InsufficientBalance: (InsufficientBalance, _shortfalls),
    grants.RewardUnavailable: (RewardUnavailable, _no_details),
    grants.NotReversible: (NotReversible, _no_details),
    ledger.HoldEnded: (HoldEnded, _no_details),
    distributing.DistributionRejected: (DistributionRejected, _rejection),
}


def to_error(error: domain.RewardsError) -> Error:
    """Return a domain error as the union member that the table names.

    Raises:
        RewardsError: the error itself, if the table has no row for it.
    """
    for error_class in type(error).__mro__:
        if error_class in ANSWERS:
            answer, details = ANSWERS[error_class]
            note_code(error.code.name)
            return answer(
                code=error.code,
                message=error.message,
                path=list(error.path),
                http_status=error.code.http_status,
                **details(error),
            )
    raise error


class _Answer:
    """Answers one row of the table wherever a field's union has its member."""

    def __init__(self, error_class: type[domain.RewardsError], answer: type[Error]) -> None:
        self.exception_type = error_class
        self.error_type = answer

    def handle(self, exception: Any, *, field: StrawberryField, info: strawberry.Info) -> Error:
        del field, info
        return to_error(exception)


def error_handlers() -> list[ExceptionHandler[Any]]:
    """Return one handler for each row, subclasses before their bases."""
    rows = sorted(ANSWERS.items(), key=lambda row: -len(row[0].__mro__))
    return [_Answer(error_class, answer) for error_class, (answer, _) in rows]
