"""reverseGrant: a grant is taken back by a new, balancing transaction (ALL-4)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id, encode_id
from gateway.reversing import reverse_grant as reversing
from gateway.reversing.model import ReversalPolicy, ReverseCommand
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    NotReversible,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types import reversal  # noqa: F401 - describes the policy
from resolvers.types.grant import Grant, to_grant


@strawberry.input(description="A grant to take back.")
class ReverseGrantInput:
    """The call's key, its grant and why."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    grant_id: strawberry.ID = strawberry.field(description="The grant: `XT_…`.")
    reason: str | None = strawberry.field(
        default=None, description="At most 256 characters, kept with the transaction for audit."
    )
    policy: ReversalPolicy = strawberry.field(
        default=ReversalPolicy.REFUSE, description="What to do where the member has spent it."
    )


@strawberry.type(description="The grant, reversed.")
class ReverseGrantPayload:
    """The grant and the transaction that reversed it."""

    grant: Grant = strawberry.field(description="The grant, with status REVERSED.")
    transaction_id: strawberry.ID = strawberry.field(description="The reversing transaction.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


ReverseGrantResult: TypeAlias = Annotated[
    ReverseGrantPayload
    | InvalidInput
    | NotFound
    | NotReversible
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("ReverseGrantResult", description="What became of a reversal."),
]


@mutation(
    "Take back all that a grant moved, payment included, once; a coupon code is voided.",
    requires=[Scope.REVERSE],
)
async def reverse_grant(
    info: Info,
    input: Annotated[
        ReverseGrantInput, strawberry.argument(description="Which grant to take back.")
    ],
) -> ReverseGrantResult:
    """Turn the input into one command and its outcome into a payload."""
    command = ReverseCommand(
        request_id=input.request_id,
        grant_id=decode_id(IdKind.GRANT, input.grant_id),
        reason=input.reason,
        policy=input.policy,
    )
    outcome = await reversing.reverse_grant(info.context.database, info.context.caller, command)
    transaction_id = encode_id(IdKind.TRANSACTION, outcome.transaction_id)
    return ReverseGrantPayload(
        grant=to_grant(outcome.grant),
        transaction_id=strawberry.ID(transaction_id),
        idempotent_replay=outcome.idempotent_replay,
    )
