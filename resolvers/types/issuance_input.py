"""The input of an issuance, and the command that it becomes."""

from __future__ import annotations

from decimal import Decimal

import strawberry

from gateway.errors import FieldError
from gateway.ids import IdKind, decode_id
from gateway.issuing.model import ONE, IssueCommand, IssueItem, PaymentChoice
from gateway.issuing.scope import DataScope, OrganizationDetails
from gateway.tenants.model import OrganizationReference
from gateway.text import normalize_optional_name
from resolvers.enums import expose_enum
from resolvers.scalars import JSON
from resolvers.types.custom_field import CustomFieldInput, to_given_field
from resolvers.types.group import GroupRef, to_group_reference
from resolvers.types.identifier import MemberRef, to_reference

expose_enum(
    DataScope,
    "Whose rewards a call may issue.",
    {
        "SELF": "Those of the credential's own organization.",
        "OTHER": "Those of the organizations that the call lists; each item then names the one it is of.",
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

    reward_id: strawberry.ID = strawberry.field(description="A reward of the catalog: `rew_…`.")
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
    member_metadata: JSON | None = strawberry.field(
        default=None, description="What the member may read with the grant: at most 16 KiB."
    )
    payment_config: PaymentConfigRef | None = strawberry.field(
        default=None, description="How the member pays."
    )
    org_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Whose reward it is: `org_…`. Required for OTHER; otherwise the credential's own organization.",
    )
    custom_fields: list[CustomFieldInput] | None = strawberry.field(
        default=None, description="Fields that the organization declared, at most 50."
    )
    fulfillment_stage: str | None = strawberry.field(
        default=None,
        description="The stage to begin at; the organization's first if left out.",
    )


@strawberry.input(description="What applies to the items of one organization.")
class OrgLevelDetails:
    """An organization, and its parameters, notes and group."""

    org_id: strawberry.ID = strawberry.field(
        description="The organization: `org_…`, within the scope of the call."
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
        description="The till's name, kept and echoed: at most 512 characters. Where the organization declares tills it must be one of them, and takes a code. A credential that is bound to a till may leave it out.",
    )
    validation_code: str | None = strawberry.field(
        default=None,
        description="The member's code for the till; `requestValidationCode` makes one. It is used up.",
    )
    skip_validation: bool | None = strawberry.field(
        default=False, description="Issue without a code; the credential must have that scope."
    )
    group: GroupRef | None = strawberry.field(
        default=None,
        description="Makes it a redemption of this group, of which the member must be one: its account pays.",
    )
    data_scope: DataScope | None = strawberry.field(
        default=DataScope.SELF, description="Whose rewards are issued."
    )
    data_scope_org_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="OTHER only: 1 to 100 organizations, each within the credential's reach.",
    )
    org_level_details: list[OrgLevelDetails] | None = strawberry.field(
        default=None, description="What applies to the items of each organization."
    )
    dry_run: bool | None = strawberry.field(
        default=False, description="Answer what would happen, and leave nothing behind."
    )


def to_command(input: IssueRewardsInput, errors: list[FieldError]) -> IssueCommand:
    """Return the command, adding the rules that references break to `errors`."""
    return IssueCommand(
        request_id=input.request_id,
        member=to_reference(input.member, ("input", "member"), errors),
        items=[_to_item(item) for item in input.rewards],
        transaction_number=input.transaction_number,
        notes=input.notes,
        brand=normalize_optional_name(input.brand),
        till=normalize_optional_name(input.till),
        is_dry_run=bool(input.dry_run),
        data_scope=input.data_scope or DataScope.SELF,
        organizations=[_to_organization(one) for one in input.data_scope_org_ids or ()],
        organization_details=[
            _to_details(details, index, errors)
            for index, details in enumerate(input.org_level_details or ())
        ],
        group=to_group_reference(input.group, ("input", "group"), errors) if input.group else None,
        validation_code=input.validation_code,
        skips_validation=bool(input.skip_validation),
    )


def _to_item(given: IssueRewardItem) -> IssueItem:
    return IssueItem(
        reward_id=decode_id(IdKind.REWARD, given.reward_id),
        quantity=ONE if given.quantity is None else given.quantity,
        request_id=given.request_id,
        event_log_id=given.event_log_id,
        params=given.params,
        member_metadata=given.member_metadata,
        payment=_to_choice(given.payment_config) if given.payment_config else None,
        reward_id_as_sent=given.reward_id,
        organization=_to_organization(given.org_id) if given.org_id is not None else None,
        custom_fields=[to_given_field(field) for field in given.custom_fields or ()],
        fulfillment_stage=normalize_optional_name(given.fulfillment_stage),
    )


def _to_organization(public_id: str) -> OrganizationReference:
    return OrganizationReference(decode_id(IdKind.ORGANIZATION, public_id), public_id)


def _to_details(
    given: OrgLevelDetails, index: int, errors: list[FieldError]
) -> OrganizationDetails:
    path = ("input", "orgLevelDetails", str(index), "group")
    return OrganizationDetails(
        organization=_to_organization(given.org_id),
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
