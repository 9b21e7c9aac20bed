"""The one table from domain errors to typed results.

A resolver lets domain errors rise: if the field's union has the member that the table names, the member is the answer. An
error without one becomes a top-level error with its code in `extensions`: so missing credentials and scopes always do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import strawberry
from strawberry import ExceptionHandler
from strawberry.types.field import StrawberryField

from gateway import errors as domain
from gateway.counters import note_code
from gateway.distributing import outcome as distributing
from gateway.grants import errors as grants
from gateway.ids import IdKind, encode_id
from gateway.ledger import limits
from gateway.ledger import model as ledger
from gateway.ledger.assets import from_minor
from gateway.operations import model as operations
from resolvers.errors import (
    Conflict,
    DistributionRejected,
    Error,
    FieldError,
    Forbidden,
    HoldEnded,
    IdempotencyConflict,
    InsufficientBalance,
    InvalidInput,
    LimitExceeded,
    NotFound,
    NotReversible,
    Overloaded,
    RequestInProgress,
    RewardUnavailable,
    Shortfall,
)
from resolvers.types.distribution import to_failures

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
