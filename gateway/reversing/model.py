"""Reversing: what is asked for, which rules it keeps, and what comes of it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.errors import FieldError
from gateway.grants.record import GrantKind, GrantRecord, GrantStatus
from gateway.grants.status import ItemStatus, StatusCode
from gateway.operations.model import ANY_KEY_LENGTH_MAX, OperationKind, check_key
from gateway.text import check_text

REASON_LENGTH_MAX = 256

REVERSED = ItemStatus(StatusCode.REVERSED, "All that the grant moved was moved back.")
ALREADY_REVERSED = ItemStatus(StatusCode.ALREADY_REVERSED, "The grant was reversed before.")
SPENT = ItemStatus(StatusCode.BENEFIT_SPENT, "The member has spent what the grant gave.")
TOO_HIGH = ItemStatus(
    StatusCode.BALANCE_TOO_HIGH, "What comes back would exceed what the ledger can count."
)
PENDING = ItemStatus(
    StatusCode.NOT_REVERSIBLE, "The grant is not settled yet: its vendor has not answered."
)
DECLINED = ItemStatus(
    StatusCode.NOT_REVERSIBLE, "The grant was declined, so there is nothing to reverse."
)
EXPIRED = ItemStatus(
    StatusCode.NOT_REVERSIBLE, "The grant has expired, so there is nothing to reverse."
)

# Where the answers of these operations name the grants they made.
REVERSIBLE_KINDS = frozenset(
    {
        OperationKind.GRANT_REWARD,
        OperationKind.ISSUE_REWARDS,
        OperationKind.DISTRIBUTE_REWARDS,
        OperationKind.RECORD_EVENT,
    }
)


class ReversalPolicy(enum.StrEnum):
    """What to do where the member has spent what is to be taken back."""

    REFUSE = "REFUSE"
    ALLOW_DEBT = "ALLOW_DEBT"


@dataclass(frozen=True, slots=True)
class ReverseCommand:
    """One grant to take back. `grant_id` None stands for an id that can name no grant."""

    request_id: str
    grant_id: UUID | None
    reason: str | None
    policy: ReversalPolicy = ReversalPolicy.REFUSE


@dataclass(frozen=True, slots=True)
class ReverseOutcome:
    """The grant, reversed, and the transaction that did it."""

    grant: GrantRecord
    transaction_id: UUID
    idempotent_replay: bool


@dataclass(frozen=True, slots=True)
class KeyTarget:
    """What was done under one of the caller's own keys."""

    kind: OperationKind
    key: str


@dataclass(frozen=True, slots=True)
class TransactionTarget:
    """What one transaction gave. `transaction_id` None stands for an id that can name none."""

    transaction_id: UUID | None


@dataclass(frozen=True, slots=True)
class ReverseOperationCommand:
    """Everything that an operation or a transaction gave, to be taken back."""

    request_id: str
    target: KeyTarget | TransactionTarget
    reason: str | None
    policy: ReversalPolicy = ReversalPolicy.REFUSE


@dataclass(frozen=True, slots=True)
class GrantReversal:
    """What became of one grant; the transaction took it back, now or before."""

    grant_id: UUID
    status: ItemStatus
    transaction_id: UUID | None


@dataclass(frozen=True, slots=True)
class ReverseOperationOutcome:
    """What became of every grant, in the order in which they were made."""

    request_id: str
    results: Sequence[GrantReversal]
    idempotent_replay: bool


def check_command(command: ReverseCommand | ReverseOperationCommand) -> list[FieldError]:
    """Return every broken rule of form."""
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_text(command.reason, ("input", "reason"), REASON_LENGTH_MAX, length_min=0)
    if isinstance(command, ReverseOperationCommand) and isinstance(command.target, KeyTarget):
        path = ("input", "target", "operation")
        errors += check_key(command.target.key, (*path, "key"), ANY_KEY_LENGTH_MAX)
        if command.target.kind not in REVERSIBLE_KINDS:
            names = ", ".join(sorted(REVERSIBLE_KINDS))
            errors.append(FieldError((*path, "kind"), "kind", f"kind must be one of: {names}."))
    return errors


def judge(grant: GrantRecord) -> ItemStatus | None:
    """Return why a grant's status forbids to reverse it, or None."""
    if grant.status is GrantStatus.REVERSED:
        return ALREADY_REVERSED
    if grant.status is GrantStatus.PENDING:
        return PENDING
    if grant.status is GrantStatus.DECLINED:
        return DECLINED
    # What was owed and not claimed in time is gone; a coupon that expired may have been paid for.
    if grant.status is GrantStatus.EXPIRED and grant.kind is GrantKind.CUSTOM:
        return EXPIRED
    return None
