"""Business failures as typed results; `error_table.py` makes them of domain errors."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import strawberry

from gateway.errors import ErrorCode
from resolvers.enums import expose_enum
from resolvers.types.distribution import DistributionFailure

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
