"""issueRewards: one or many rewards to one member, who may pay for them (CAP-1..4, CAP-6..9, CAP-17)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeAlias

import strawberry

from gateway import errors as domain
from gateway.errors import FieldError
from gateway.ids import IdKind, decode_id, encode_id
from gateway.issuing import issue_rewards as issuing
from gateway.issuing.model import (
    BatchOutcome,
    IssuanceOutcome,
    IssueCommand,
    IssueItem,
    PaymentChoice,
    check_command,
)
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InsufficientBalance,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import resolved
from resolvers.scalars import JSON
from resolvers.types.identifier import MemberRef, to_reference
from resolvers.types.issuance import IssuanceResult, to_result

ONE = Decimal(1)


@strawberry.input(description="Which of the reward's payment configurations to use.")
class PaymentConfigRef:
    """A configuration, and for CONV_RATIO a value."""

    id: strawberry.ID | None = strawberry.field(
        default=None, description="Required if the reward has several: `pay_…`."
    )
    redemption_value: Decimal | None = strawberry.field(
        default=None, description="CONV_RATIO only: the value of one unit, above 0. Default 1."
    )


@strawberry.input(description="One reward to issue.")
class IssueRewardItem:
    """A reward, how many, how it is paid, and what to echo."""

    reward_id: strawberry.ID = strawberry.field(description="A reward of the catalogue: `rew_…`.")
    quantity: Decimal | None = strawberry.field(
        default=ONE,
        description="How many. A fraction is dropped: 1.56 is 1. Only CONV_RATIO issues more than one.",
    )
    request_id: str | None = strawberry.field(
        default=None, description="The item's own idempotency key: at most 512 characters."
    )
    event_log_id: str | None = strawberry.field(
        default=None, description="Kept and echoed; of any length."
    )
    params: JSON | None = strawberry.field(default=None, description="Kept and echoed.")
    payment_config: PaymentConfigRef | None = strawberry.field(
        default=None, description="How the member pays."
    )


@strawberry.input(description="Rewards for one member.")
class IssueRewardsInput:
    """The call's key, its member and its items."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 512 characters, unique per partner for ever."
    )
    member: MemberRef = strawberry.field(description="Who receives and pays.")
    rewards: list[IssueRewardItem] = strawberry.field(description="1 to 100 rewards.")
    transaction_number: str | None = strawberry.field(
        default=None,
        description="The caller's own number, kept and echoed: at most 512 characters.",
    )
    notes: str | None = strawberry.field(
        default=None, description="Kept and echoed: at most 4,096 characters."
    )
    brand: str | None = strawberry.field(
        default=None, description="Kept and echoed: at most 512 characters."
    )
    till: str | None = strawberry.field(
        default=None, description="The store's name, kept and echoed: at most 512 characters."
    )
    dry_run: bool | None = strawberry.field(
        default=False, description="Answer what would happen, and leave nothing behind."
    )


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


@resolved("Issue one or many rewards to one member, who may pay for them with points.")
async def issue_rewards(
    info: Info,
    input: Annotated[IssueRewardsInput, strawberry.argument(description="What to issue to whom.")],
) -> IssueRewardsResult:
    """Turn the input into one command and its outcome into a payload."""
    caller = info.context.caller
    errors: list[FieldError] = []
    command = IssueCommand(
        request_id=input.request_id,
        member=to_reference(input.member, ("input", "member"), errors),
        items=[_to_item(item) for item in input.rewards],
        transaction_number=input.transaction_number,
        notes=input.notes,
        brand=input.brand,
        till=input.till,
        is_dry_run=bool(input.dry_run),
    )
    if errors:
        raise domain.InvalidInput(errors + check_command(command))
    outcome = await issuing.issue_rewards(
        info.context.database, caller, command, info.context.purchaser
    )
    return _to_payload(outcome, str(encode_id(IdKind.ORGANISATION, caller.organisation_id)))


def _to_item(given: IssueRewardItem) -> IssueItem:
    return IssueItem(
        reward_id=decode_id(IdKind.REWARD, given.reward_id),
        quantity=ONE if given.quantity is None else given.quantity,
        request_id=given.request_id,
        event_log_id=given.event_log_id,
        params=given.params,
        payment=_to_choice(given.payment_config) if given.payment_config else None,
        reward_id_as_sent=given.reward_id,
    )


def _to_choice(given: PaymentConfigRef) -> PaymentChoice:
    value = given.redemption_value
    return PaymentChoice(
        config_id=decode_id(IdKind.PAYMENT_CONFIG, given.id) if given.id else None,
        config_id_as_sent=given.id,
        redemption_value=ONE if value is None else value,
    )


def _to_payload(outcome: IssuanceOutcome, org_id: str) -> IssueRewardsPayload:
    command, how_much = outcome.command, outcome.outcome
    return IssueRewardsPayload(
        status=BatchStatus(
            success=any(item.status.is_success for item in outcome.items),
            code=how_much,
            message=_MESSAGES[how_much],
        ),
        request_id=command.request_id,
        transaction_number=command.transaction_number,
        notes=command.notes,
        brand=command.brand,
        till=command.till,
        results=[to_result(item, org_id) for item in outcome.items],
        dry_run=command.is_dry_run,
        idempotent_replay=outcome.idempotent_replay,
    )
