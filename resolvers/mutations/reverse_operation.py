"""reverseOperation: a whole issuance, distribution or transaction is taken back, grant by grant (ALL-4)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id
from gateway.operations.model import OperationKind
from gateway.reversing import reverse_operation as reversing
from gateway.reversing.model import (
    KeyTarget,
    ReversalPolicy,
    ReverseOperationCommand,
    TransactionTarget,
)
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.reversal import ReversalResult, to_reversal_results


@strawberry.input(description="An operation, by the caller's own key.")
class OperationRef:
    """What the key was used for, and the key."""

    kind: OperationKind = strawberry.field(
        description="GRANT_REWARD, ISSUE_REWARDS, DISTRIBUTE_REWARDS or RECORD_EVENT."
    )
    key: str = strawberry.field(description="The request id or client reference that was sent.")


@strawberry.input(one_of=True, description="What to take back: exactly one of the fields.")
class ReversalTarget:
    """An operation, or a transaction."""

    operation: OperationRef | None = strawberry.field(
        default=strawberry.UNSET, description="Everything that was granted under a key."
    )
    transaction_id: strawberry.ID | None = strawberry.field(
        default=strawberry.UNSET,
        description="What one ledger transaction gave: `txn_…`, a distribution, or one item of an issuance.",
    )


@strawberry.input(description="An operation or a transaction to take back.")
class ReverseOperationInput:
    """The call's key, its target, why, and what to do about what was spent."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    target: ReversalTarget = strawberry.field(description="What to take back.")
    reason: str | None = strawberry.field(
        default=None, description="At most 256 characters, kept with the transactions for audit."
    )
    policy: ReversalPolicy = strawberry.field(
        default=ReversalPolicy.REFUSE, description="What to do where a member has spent it."
    )


@strawberry.type(description="A reversal: what became of every grant.")
class ReverseOperationPayload:
    """The results, in the order in which the grants were made."""

    request_id: str = strawberry.field(description="The idempotency key.")
    reversed_count: int = strawberry.field(
        description="How many of the grants are reversed, now or before."
    )
    refused_count: int = strawberry.field(
        description="How many are not. If none is reversed, nothing was written and the key is free again."
    )
    results: list[ReversalResult] = strawberry.field(
        description="One result for each grant, in the order in which they were made."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


ReverseOperationResult: TypeAlias = Annotated[
    ReverseOperationPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("ReverseOperationResult", description="What became of a reversal."),
]


@mutation(
    "Take back everything that an operation or a transaction granted; every grant on its own.",
    requires=[Scope.REVERSE],
)
async def reverse_operation(
    info: Info,
    input: Annotated[ReverseOperationInput, strawberry.argument(description="What to take back.")],
) -> ReverseOperationResult:
    """Turn the input into one command and its outcome into a payload."""
    command = ReverseOperationCommand(
        request_id=input.request_id,
        target=_to_target(input.target),
        reason=input.reason,
        policy=input.policy,
    )
    outcome = await reversing.reverse_operation(info.context.database, info.context.caller, command)
    reversed_count = sum(result.status.is_success for result in outcome.results)
    return ReverseOperationPayload(
        request_id=outcome.request_id,
        reversed_count=reversed_count,
        refused_count=len(outcome.results) - reversed_count,
        results=to_reversal_results(outcome.results),
        idempotent_replay=outcome.idempotent_replay,
    )


def _to_target(given: ReversalTarget) -> KeyTarget | TransactionTarget:
    if given.operation:
        return KeyTarget(given.operation.kind, given.operation.key)
    return TransactionTarget(decode_id(IdKind.TRANSACTION, given.transaction_id or ""))
