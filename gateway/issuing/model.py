"""Issuing: what is asked for, which rules it keeps, and what comes of it."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.errors import FieldError
from gateway.grants.record import GrantRecord
from gateway.grants.status import ItemStatus, StatusCode
from gateway.issuing import scope
from gateway.issuing.custom_fields.model import GivenField, check_given
from gateway.issuing.scope import (
    DataScope,
    OrganizationDetails,
    Terms,
    check_scope,
)
from gateway.members.groups.model import GroupReference
from gateway.members.model import MemberReference
from gateway.operations.model import ANY_KEY_LENGTH_MAX, check_key
from gateway.rewards.rules import plain
from gateway.tenants.model import OrganizationReference
from gateway.text import check_json, check_text

ITEMS_MAX = 100
TEXT_LENGTH_MAX = 512
NOTES_LENGTH_MAX = scope.NOTES_LENGTH_MAX
VALUE_DIGITS_MAX = 15
VALIDATION_CODE_LENGTH_MAX = 64
VALUE_MAX = 10**VALUE_DIGITS_MAX
# How many of a reward, unless an item says otherwise.
ONE = Decimal(1)


@dataclass(frozen=True, slots=True)
class PaymentChoice:
    """Which of the reward's payment configurations to use, and for CONV_RATIO the value of one unit.

    `config_id` None beside a `config_id_as_sent` stands for an id that can name no configuration. `cash_reference` names the
    payment of the cash part in the caller's own books.
    """

    config_id: UUID | None = None
    config_id_as_sent: str | None = None
    redemption_value: Decimal = ONE
    cash_reference: str | None = None

    @property
    def fingerprint(self) -> tuple[str, str]:
        """Return what an item's fingerprint has of it; a reference in cash is named there, since it came later."""
        return ascii(self.config_id_as_sent), plain(self.redemption_value)


# Of an item that says nothing about its payment.
NO_CHOICE = PaymentChoice()
_NO_PAYMENT = NO_CHOICE.fingerprint


@dataclass(slots=True)
class IssueItem:
    """One reward to issue. `reward_id` None stands for an id that can name no reward.

    Not changed once made: freezing it would only make it dearer.
    """

    reward_id: UUID | None
    reward_id_as_sent: str
    quantity: Decimal = ONE
    request_id: str | None = None
    event_log_id: str | None = None
    params: Mapping[str, Any] | None = None
    payment: PaymentChoice | None = None
    organization: OrganizationReference | None = None
    custom_fields: Sequence[GivenField] = ()
    fulfillment_stage: str | None = None
    member_metadata: Mapping[str, Any] | None = None

    @property
    def cash_reference(self) -> str | None:
        """Return the caller's reference of the payment in cash, if one was given."""
        return self.payment.cash_reference if self.payment else None

    @property
    def fingerprint(self) -> list[Any]:
        """Return what makes the item what it is, in one spelling.

        What came later than the rest is named, and only where it is used: keys that were used before keep their meaning.
        Ids are as sent, which may be text that no id can be, and that has no UTF-8: hence their ASCII form.
        """
        payment = self.payment
        quantity = "1" if self.quantity is ONE else plain(self.quantity)
        told: list[Any] = [
            ascii(self.reward_id_as_sent),
            quantity,
            self.request_id,
            self.event_log_id,
        ]
        told += (self.params, *(_NO_PAYMENT if payment is None else payment.fingerprint))
        if (
            self.organization
            or self.custom_fields
            or self.fulfillment_stage
            or payment
            or self.member_metadata
        ):
            later = {
                "orgId": ascii(self.organization.as_sent) if self.organization else None,
                "cashReference": self.cash_reference,
                "customFields": [field.to_json() for field in self.custom_fields],
                "fulfillmentStage": self.fulfillment_stage,
                "memberMetadata": self.member_metadata,
            }
            if used := {name: value for name, value in later.items() if value}:
                told.append(used)
        return told


@dataclass(frozen=True, slots=True)
class IssueCommand:
    """One issuance to one member; `request_id` is its idempotency key.

    `validation_code` and `skips_validation` prove that the call may be made; they are not part of what it asks for, so a
    repeat with a fresh code is the same request.
    """

    request_id: str
    member: MemberReference
    items: Sequence[IssueItem]
    transaction_number: str | None = None
    notes: str | None = None
    brand: str | None = None
    till: str | None = None
    is_dry_run: bool = False
    data_scope: DataScope = DataScope.SELF
    organizations: Sequence[OrganizationReference] = ()
    organization_details: Sequence[OrganizationDetails] = ()
    group: GroupReference | None = None
    validation_code: str | None = None
    skips_validation: bool = False

    @property
    def is_group_redemption(self) -> bool:
        """Tell whether a group redeems some of the items."""
        return self.group is not None or any(
            details.group is not None for details in self.organization_details
        )

    @property
    def fingerprint(self) -> dict[str, Any]:
        """Return what makes the call what it is, by GraphQL input name; what came later only where it is used."""
        later = {
            "dataScope": None if self.data_scope is DataScope.SELF else self.data_scope.value,
            "dataScopeOrgIds": [ascii(organization.as_sent) for organization in self.organizations],
            "orgLevelDetails": [details.fingerprint for details in self.organization_details],
            "group": self.group.fingerprint if self.group else None,
        }
        return {
            "member": list(self.member),
            "rewards": [item.fingerprint for item in self.items],
            "transactionNumber": self.transaction_number,
            "notes": self.notes,
            "brand": self.brand,
            "till": self.till,
            **{name: value for name, value in later.items() if value},
        }


class BatchOutcome(enum.StrEnum):
    """How much of a batch was done."""

    ALL = "ALL"
    PARTIAL = "PARTIAL"
    NONE = "NONE"
    PENDING = "PENDING"


@dataclass(slots=True)
class ItemOutcome:
    """What became of one item; `quantity` is what was issued, 0 on failure. Not changed once made, like the item."""

    index: int
    item: IssueItem
    terms: Terms
    status: ItemStatus
    quantity: int
    grant: GrantRecord | None
    idempotent_replay: bool = False


@dataclass(frozen=True, slots=True)
class IssuanceOutcome:
    """What became of every item, in the order sent."""

    command: IssueCommand
    items: Sequence[ItemOutcome]
    idempotent_replay: bool

    @property
    def outcome(self) -> BatchOutcome:
        """Return how much was issued; pending as long as that of one item is not known."""
        codes = [item.status.code for item in self.items]
        if StatusCode.PENDING in codes:
            return BatchOutcome.PENDING
        successes = sum([code.is_success for code in codes])
        if successes == len(codes):
            return BatchOutcome.ALL
        return BatchOutcome.PARTIAL if successes else BatchOutcome.NONE

    @property
    def has_success(self) -> bool:
        """Tell whether at least one item succeeded."""
        return any(item.status.is_success for item in self.items)


def check_command(command: IssueCommand) -> list[FieldError]:
    """Return every broken rule of form (CAP-1, CAP-8, CAP-9, CAP-13, CAP-16)."""
    errors = check_key(command.request_id, ("input", "requestId"), ANY_KEY_LENGTH_MAX)
    errors += check_scope(
        command.data_scope,
        command.organizations,
        command.organization_details,
        [item.organization is not None for item in command.items],
    )
    errors += _check_validation(command)
    for name, value, length_max in (
        ("transactionNumber", command.transaction_number, TEXT_LENGTH_MAX),
        ("notes", command.notes, NOTES_LENGTH_MAX),
        ("brand", command.brand, TEXT_LENGTH_MAX),
        ("till", command.till, TEXT_LENGTH_MAX),
    ):
        errors += check_text(value, ("input", name), length_max, length_min=0)
    if not 1 <= len(command.items) <= ITEMS_MAX:
        message = f"rewards must have 1 to {ITEMS_MAX} items; it has {len(command.items)}."
        errors.append(FieldError(("input", "rewards"), "count", message))
    seen: set[str] = set()
    for index, item in enumerate(command.items):
        errors += _check_item(item, ("input", "rewards", str(index)), seen)
    return errors


def _check_item(item: IssueItem, path: tuple[str, ...], seen: set[str]) -> list[FieldError]:
    errors: list[FieldError] = []
    # Most items say nothing of most of this.
    if item.event_log_id is not None:
        errors += check_text(item.event_log_id, (*path, "eventLogId"), None, length_min=0)
    if item.params is not None:
        errors += check_json(item.params, (*path, "params"))
    if item.member_metadata is not None:
        errors += check_json(item.member_metadata, (*path, "memberMetadata"))
    if item.fulfillment_stage is not None:
        errors += check_text(item.fulfillment_stage, (*path, "fulfillmentStage"), TEXT_LENGTH_MAX)
    if item.custom_fields:
        errors += check_given(item.custom_fields, (*path, "customFields"))
    if item.request_id is not None:
        key_path = (*path, "requestId")
        errors += check_key(item.request_id, key_path, ANY_KEY_LENGTH_MAX)
        if item.request_id in seen:
            message = "requestId must differ from the other items' request ids."
            errors.append(FieldError(key_path, "unique", message))
        seen.add(item.request_id)
    if item.payment is not None:
        errors += _check_redemption_value(item.payment.redemption_value, path)
        reference_path = (*path, "paymentConfig", "cashReference")
        errors += check_text(item.payment.cash_reference, reference_path, TEXT_LENGTH_MAX)
    return errors


def _check_validation(command: IssueCommand) -> list[FieldError]:
    path = ("input", "validationCode")
    errors = check_text(command.validation_code, path, VALIDATION_CODE_LENGTH_MAX)
    if command.validation_code is not None and command.till is None:
        message = "validationCode is a code for a till: name the till."
        errors.append(FieldError(path, "till", message))
    return errors


def _check_redemption_value(value: Decimal, path: tuple[str, ...]) -> list[FieldError]:
    value_path = (*path, "paymentConfig", "redemptionValue")
    if not (value.is_finite() and 0 < value <= VALUE_MAX):
        message = f"redemptionValue must be greater than 0 and at most {VALUE_MAX}."
        return [FieldError(value_path, "range", message)]
    if len(value.as_tuple().digits) > VALUE_DIGITS_MAX:
        message = f"redemptionValue must have at most {VALUE_DIGITS_MAX} digits."
        return [FieldError(value_path, "digits", message)]
    return []
