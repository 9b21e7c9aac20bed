"""issueRewards: one or many rewards to one member, who may pay for them (CAP-1..4, CAP-6..17)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway import errors as domain
from gateway.access import Scope
from gateway.errors import FieldError
from gateway.issuing import issue_rewards as issuing
from gateway.issuing.model import BatchOutcome, IssuanceOutcome, check_command
from resolvers.context import Info
from resolvers.errors import (
    Forbidden,
    IdempotencyConflict,
    InsufficientBalance,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.issuance import IssuanceResult
from resolvers.types.issuance_input import IssueRewardsInput, to_command


@strawberry.type(description="Overall status of a batch.")
class BatchStatus:
    """Success, how much of it, and a sentence."""

    success: bool = strawberry.field(description="Whether at least one item succeeded.")
    code: BatchOutcome = strawberry.field(description="How much of the batch was done.")
    message: str = strawberry.field(
        description="One sentence for a person; its wording may change."
    )


@strawberry.type(description="An issuance: what became of every item.")
class IssueRewardsPayload:
    """The overall status, the items' results, and what was sent along."""

    status: BatchStatus = strawberry.field(description="Overall status.")
    request_id: str = strawberry.field(description="The idempotency key.")
    transaction_number: str | None = strawberry.field(description="As sent.")
    notes: str | None = strawberry.field(description="As sent.")
    brand: str | None = strawberry.field(description="As sent.")
    till: str | None = strawberry.field(description="As sent.")
    group_redemption: bool = strawberry.field(
        description="Whether a group redeems, for all items or for some organization's."
    )
    results: list[IssuanceResult] = strawberry.field(
        description="One result for each item, in the order sent."
    )
    dry_run: bool = strawberry.field(
        description="True if this only says what would happen: nothing was kept, unless it replays an earlier call."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


IssueRewardsResult: TypeAlias = Annotated[
    IssueRewardsPayload
    | InvalidInput
    | NotFound
    | Forbidden
    | InsufficientBalance
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("IssueRewardsResult", description="What became of an issuance."),
]

_MESSAGES = {
    BatchOutcome.ALL: "Every reward was issued.",
    BatchOutcome.PARTIAL: "Some rewards were issued; see the results.",
    BatchOutcome.NONE: "No reward was issued and nothing was taken.",
    BatchOutcome.PENDING: "Vendors have not answered for some rewards yet; ask again with the same key.",
}


@mutation(
    "Issue one or many rewards to one member, who may pay for them with points.",
    requires=[Scope.ISSUE],
)
async def issue_rewards(
    info: Info,
    input: Annotated[IssueRewardsInput, strawberry.argument(description="What to issue to whom.")],
) -> IssueRewardsResult:
    """Turn the input into one command and its outcome into a payload."""
    caller = info.context.caller
    errors: list[FieldError] = []
    command = to_command(input, errors)
    if errors:
        raise domain.InvalidInput(errors + check_command(command))
    context = info.context
    outcome = await issuing.issue_rewards(
        context.database, caller, command, context.purchaser, context.issuance_groups
    )
    return _to_payload(outcome)


def _to_payload(outcome: IssuanceOutcome) -> IssueRewardsPayload:
    command, how_much = outcome.command, outcome.outcome
    is_dry_run = command.is_dry_run and not outcome.idempotent_replay
    return IssueRewardsPayload(
        status=BatchStatus(
            success=outcome.has_success,
            code=how_much,
            message=_MESSAGES[how_much],
        ),
        request_id=command.request_id,
        transaction_number=command.transaction_number,
        notes=command.notes,
        brand=command.brand,
        till=command.till,
        group_redemption=command.is_group_redemption,
        results=[IssuanceResult(item, is_dry_run) for item in outcome.items],
        dry_run=command.is_dry_run,
        idempotent_replay=outcome.idempotent_replay,
    )
