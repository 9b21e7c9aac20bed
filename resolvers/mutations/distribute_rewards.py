"""distributeRewards: reward up to 10,000 recipients in one call (ON3-1..9)."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.distributing import distribute_rewards as distributing
from gateway.distributing.model import DistributeCommand
from gateway.distributing.outcome import GRANTED, DistributionOutcome
from gateway.grants.record import GrantRecord
from gateway.ids import IdKind, encode_id
from resolvers.context import Info
from resolvers.errors import (
    DistributionRejected,
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation, resolved
from resolvers.scalars import JSON
from resolvers.types.distribution import (
    DistributionFailure,
    DistributionLineInput,
    to_failures,
    to_line,
)
from resolvers.types.grant import Grant, to_grant
from resolvers.types.recipient import RecipientType, to_recipient_type
from resolvers.types.status import OperationStatus, to_status


@strawberry.input(description="Rewards for 1 to 10,000 recipients.")
class DistributeRewardsInput:
    """The call's key, its texts and its lines."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 letters, digits and hyphens, unique for ever."
    )
    rewards: list[DistributionLineInput] = strawberry.field(
        description="1 to 10,000 lines, applied in order, each on its own."
    )
    description: str | None = strawberry.field(
        default=None, description="At most 256 characters, kept with the transaction for audit."
    )
    message: str | None = strawberry.field(
        default=None,
        description="At most 256 characters: what members are told, with the amount appended. A general text otherwise.",
    )
    dry_run: bool | None = strawberry.field(
        default=False, description="Answer what would happen, and leave nothing behind."
    )


@strawberry.type(description="What became of one line.")
class DistributionResult:
    """A line's place, recipient and status."""

    record: strawberry.Private[GrantRecord | None]
    grant_id: strawberry.Private[UUID | None]

    index: int = strawberry.field(description="The line's place in the call, from 0.")
    identifier_type: RecipientType = strawberry.field(description="As sent.")
    identifier_value: str = strawberry.field(description="As sent.")
    status: OperationStatus = strawberry.field(description="Whether the line was applied.")

    @resolved("The grant that the line made; null if it failed.", graphql_type=Grant | None)
    def grant(self, info: Info) -> Grant | Awaitable[Grant | None] | None:
        """Return what this call granted, or load what an earlier one did."""
        if self.record is not None:
            return to_grant(self.record)
        return None if self.grant_id is None else _load_grant(info, self.grant_id)


@strawberry.type(description="A distribution of which at least one line was applied.")
class DistributeRewardsPayload:
    """The transaction and every line's result; what there is one of for each line is made if it is selected."""

    given: strawberry.Private[DistributeRewardsInput]
    outcome: strawberry.Private[DistributionOutcome]

    tx_id: strawberry.ID = strawberry.field(description="The ledger transaction of all lines.")
    request_id: str = strawberry.field(description="The idempotency key.")
    timestamp: datetime = strawberry.field(description="When it was applied.")
    processed_count: int = strawberry.field(description="Lines that were applied.")
    failed_count: int = strawberry.field(description="Lines that failed.")
    dry_run: bool = strawberry.field(
        description="True if this only says what would happen: nothing was kept, unless it replays an earlier call."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )

    @resolved("One result for each line, in the order sent.")
    def results(self) -> list[DistributionResult]:
        """Return what became of each line."""
        return _to_results(self.outcome)

    @resolved("The lines that failed.")
    def failures(self) -> list[DistributionFailure]:
        """Return each line that failed, with every reason."""
        return to_failures(self.outcome.failures)

    @resolved(
        "Input with only the failed lines, to correct and send under a new request id; null if none failed."
    )
    def retry_input(self) -> JSON | None:
        """Return the call with its failed lines alone."""
        return _to_retry_input(self.given, self.outcome) if self.failed_count else None


DistributeRewardsResult: TypeAlias = Annotated[
    DistributeRewardsPayload
    | DistributionRejected
    | InvalidInput
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("DistributeRewardsResult", description="What became of a distribution."),
]


@mutation(
    "Reward 1 to 10,000 recipients with currency, experience points, or both.",
    requires=[Scope.DISTRIBUTE],
)
async def distribute_rewards(
    info: Info,
    input: Annotated[
        DistributeRewardsInput, strawberry.argument(description="Whom to reward with what.")
    ],
) -> DistributeRewardsResult:
    """Turn the input into one command and its outcome into a payload."""
    command = DistributeCommand(
        request_id=input.request_id,
        lines=[to_line(line) for line in input.rewards],
        description=input.description,
        message=input.message,
        is_dry_run=bool(input.dry_run),
    )
    context = info.context
    outcome = await distributing.distribute_rewards(context.database, context.caller, command)
    return _to_payload(input, command, outcome)


def _to_payload(
    given: DistributeRewardsInput, command: DistributeCommand, outcome: DistributionOutcome
) -> DistributeRewardsPayload:
    failed_count = outcome.failed_count
    return DistributeRewardsPayload(
        given=given,
        outcome=outcome,
        tx_id=strawberry.ID(encode_id(IdKind.TRANSACTION, outcome.transaction_id)),
        request_id=outcome.request_id,
        timestamp=outcome.at,
        processed_count=len(outcome.lines) - failed_count,
        failed_count=failed_count,
        dry_run=command.is_dry_run,
        idempotent_replay=outcome.idempotent_replay,
    )


def _to_results(outcome: DistributionOutcome) -> list[DistributionResult]:
    # Lines that were applied share one status, and so does its GraphQL type.
    granted, fresh = to_status(GRANTED), outcome.fresh_grants
    return [
        DistributionResult(
            record=fresh.get(result.grant_id) if result.grant_id else None,
            grant_id=result.grant_id,
            index=result.index,
            identifier_type=to_recipient_type(result.recipient),
            identifier_value=result.recipient.value,
            status=granted if result.status is GRANTED else to_status(result.status),
        )
        for result in outcome.results
    ]


async def _load_grant(info: Info, grant_id: UUID) -> Grant | None:
    record = await info.context.loaders.grants.load(grant_id)
    return to_grant(record) if record else None


def _to_retry_input(given: DistributeRewardsInput, outcome: DistributionOutcome) -> JSON:
    """Return the call with only its failed lines and no request id: a new one has to be chosen (ON3-9)."""
    lines = [_to_json(given.rewards[failure.index]) for failure in outcome.failures]
    texts = {"description": given.description, "message": given.message}
    return JSON(
        {"rewards": lines} | {name: text for name, text in texts.items() if text is not None}
    )


def _to_json(line: DistributionLineInput) -> dict[str, Any]:
    value: dict[str, Any] = {
        "recipient": {
            "identifierType": line.recipient.identifier_type.value,
            "identifierValue": line.recipient.identifier_value,
        }
    }
    if line.currency_reward is not None:
        value["currencyReward"] = {
            "currencyId": line.currency_reward.currency_id,
            "amount": format(line.currency_reward.amount, "f"),
        }
    if line.xp_reward is not None:
        value["xpReward"] = line.xp_reward
    return value
