"""issueRewards: one or many rewards to one member, who may pay for them (CAP-1..4, CAP-6..17)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeAlias

import strawberry

from gateway import errors as domain
from gateway.errors import FieldError
from gateway.ids import IdKind, decode_id
from gateway.issuing import issue_rewards as issuing
from gateway.issuing.model import (
    BatchOutcome,
    DataScope,
    IssuanceOutcome,
    IssueCommand,
    IssueItem,
    OrganisationDetails,
    OrganisationReference,
    PaymentChoice,
    check_command,
)
from gateway.issuing.reach import Reach, resolve_reach
from resolvers.context import Info
from resolvers.enums import expose_enum
from resolvers.errors import (
    Forbidden,
    IdempotencyConflict,
    InsufficientBalance,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import resolved
from resolvers.scalars import JSON
from resolvers.types.custom_field import CustomFieldInput, to_given_field
from resolvers.types.group import GroupRef, to_group_reference
from resolvers.types.identifier import MemberRef, to_reference
from resolvers.types.issuance import IssuanceResult, to_result

ONE = Decimal(1)

expose_enum(
    DataScope,
    "Whose rewards a call may issue.",
    {
        "SELF": "Those of the credential's own organisation.",
        "OTHER": "Those of the organisations that the call lists; each item then names the one it is of.",
    },
)


@strawberry.input(description="Which of the reward's payment configurations to use.")
class PaymentConfigRef:
    """A configuration, and for CONV_RATIO a value."""

    id: strawberry.ID | None = strawberry.field(
        default=None, description="Required if the reward has several: `pay_…`."
    )
    redemption_value: Decimal | None = strawberry.field(
        default=None, description="CONV_RATIO only: the value of one unit, above 0. Default 1."
    )
    cash_reference: str | None = strawberry.field(
        default=None,
        description=(
            "CASH and POINTS_CASH only, and required there: your own reference of the cash payment, at most 512 "
            "characters. It may pay for several items of one call, and for no other call of the partner."
        ),
    )


@strawberry.input(description="One reward to issue.")
class IssueRewardItem:
    """A reward, how many, how it is paid, and what to echo."""

    reward_id: strawberry.ID = strawberry.field(description="A reward of the catalogue: `rew_…`.")
    quantity: Decimal = strawberry.field(
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
    org_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Whose reward it is: `org_…`. Required for OTHER; otherwise the credential's own organisation.",
    )
    custom_fields: list[CustomFieldInput] | None = strawberry.field(
        default=None, description="Fields that the organisation declared, at most 50."
    )
    fulfillment_stage: str | None = strawberry.field(
        default=None,
        description="The stage to begin at; the organisation's first if left out.",
    )


@strawberry.input(description="What applies to the items of one organisation.")
class OrgLevelDetails:
    """An organisation, and its parameters, notes and group."""

    org_id: strawberry.ID = strawberry.field(
        description="The organisation: `org_…`, within the scope of the call."
    )
    params: JSON | None = strawberry.field(
        default=None, description="Kept with its items that have no parameters of their own."
    )
    notes: str | None = strawberry.field(
        default=None, description="Kept with its items: at most 4,096 characters."
    )
    group: GroupRef | None = strawberry.field(
        default=None, description="The group that pays for its items, instead of the call's."
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
        default=None,
        description="The store's name, kept and echoed: at most 512 characters. A declared till takes a code.",
    )
    validation_code: str | None = strawberry.field(
        default=None,
        description="The member's code for the till; `requestValidationCode` makes one. It is used up.",
    )
    skip_validation: bool = strawberry.field(
        default=False, description="Issue without a code; the credential must have that scope."
    )
    group: GroupRef | None = strawberry.field(
        default=None,
        description="Makes it a redemption of this group, of which the member must be one: its account pays.",
    )
    data_scope: DataScope = strawberry.field(
        default=DataScope.SELF, description="Whose rewards are issued."
    )
    data_scope_org_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="OTHER only: 1 to 100 organisations, each within the credential's reach.",
    )
    org_level_details: list[OrgLevelDetails] | None = strawberry.field(
        default=None, description="What applies to the items of each organisation."
    )
    dry_run: bool = strawberry.field(
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
    group_redemption: bool = strawberry.field(
        description="Whether a group redeems, for all items or for some organisation's."
    )
    results: list[IssuanceResult] = strawberry.field(
        description="One result for each item, in the order sent."
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
    BatchOutcome.NONE: "No reward was issued; nothing was written.",
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
        is_dry_run=input.dry_run,
        data_scope=input.data_scope,
        organisations=[_to_organisation(one) for one in input.data_scope_org_ids or ()],
        organisation_details=[
            _to_details(details, index, errors)
            for index, details in enumerate(input.org_level_details or ())
        ],
        group=to_group_reference(input.group, ("input", "group"), errors) if input.group else None,
        validation_code=input.validation_code,
        skips_validation=input.skip_validation,
    )
    if errors:
        raise domain.InvalidInput(errors + check_command(command))
    outcome = await issuing.issue_rewards(info.context.database, caller, command)
    return _to_payload(outcome, resolve_reach(caller, command))


def _to_item(given: IssueRewardItem) -> IssueItem:
    return IssueItem(
        reward_id=decode_id(IdKind.REWARD, given.reward_id),
        quantity=given.quantity,
        request_id=given.request_id,
        event_log_id=given.event_log_id,
        params=given.params,
        payment=_to_choice(given.payment_config) if given.payment_config else None,
        reward_id_as_sent=given.reward_id,
        organisation=_to_organisation(given.org_id) if given.org_id is not None else None,
        custom_fields=[to_given_field(field) for field in given.custom_fields or ()],
        fulfillment_stage=given.fulfillment_stage,
    )


def _to_organisation(public_id: str) -> OrganisationReference:
    return OrganisationReference(decode_id(IdKind.ORGANISATION, public_id), public_id)


def _to_details(
    given: OrgLevelDetails, index: int, errors: list[FieldError]
) -> OrganisationDetails:
    path = ("input", "orgLevelDetails", str(index), "group")
    return OrganisationDetails(
        organisation=_to_organisation(given.org_id),
        params=given.params,
        notes=given.notes,
        group=to_group_reference(given.group, path, errors) if given.group else None,
    )


def _to_choice(given: PaymentConfigRef) -> PaymentChoice:
    value = given.redemption_value
    return PaymentChoice(
        config_id=decode_id(IdKind.PAYMENT_CONFIG, given.id) if given.id else None,
        config_id_as_sent=given.id,
        redemption_value=ONE if value is None else value,
        cash_reference=given.cash_reference,
    )


def _to_payload(outcome: IssuanceOutcome, reach: Reach) -> IssueRewardsPayload:
    command, how_much = outcome.command, outcome.outcome
    return IssueRewardsPayload(
        status=BatchStatus(
            success=how_much is not BatchOutcome.NONE, code=how_much, message=_MESSAGES[how_much]
        ),
        request_id=command.request_id,
        transaction_number=command.transaction_number,
        notes=command.notes,
        brand=command.brand,
        till=command.till,
        group_redemption=command.is_group_redemption,
        results=[to_result(item, reach.terms_of(item.item)) for item in outcome.items],
        idempotent_replay=outcome.idempotent_replay,
    )
