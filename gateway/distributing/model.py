"""Distributing: what is asked for, which rules it keeps, and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gateway.errors import ErrorCode, FieldError, RewardsError
from gateway.grants.record import GrantRecord
from gateway.grants.status import ItemStatus
from gateway.members.identifiers import IdentifierKind
from gateway.text import check_text

LINES_MAX = 10_000
TEXT_LENGTH_MAX = 256
REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9-]{1,128}")


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who receives a line. `kind` None means that `value` is a member id."""

    kind: IdentifierKind | None
    value: str


@dataclass(frozen=True, slots=True)
class DistributionLine:
    """One recipient's reward as sent: an amount of a currency, experience points, or both. Unchecked."""

    recipient: Recipient
    currency_id: str | None
    amount: Decimal | None
    experience_points: int | None


@dataclass(frozen=True, slots=True)
class DistributeCommand:
    """One distribution; `request_id` is its idempotency key."""

    request_id: str
    lines: Sequence[DistributionLine]
    description: str | None = None
    message: str | None = None
    is_dry_run: bool = False


@dataclass(frozen=True, slots=True)
class LineOutcome:
    """What became of one line; `reasons` is empty on success, `grant_id` None on failure."""

    index: int
    recipient: Recipient
    status: ItemStatus
    reasons: tuple[str, ...]
    grant_id: UUID | None


@dataclass(frozen=True, slots=True)
class DistributionOutcome:
    """What became of every line, in the order sent. `fresh_grants` holds the grants this very call made."""

    transaction_id: UUID
    request_id: str
    at: datetime
    results: Sequence[LineOutcome]
    idempotent_replay: bool
    fresh_grants: Mapping[UUID, GrantRecord] = field(default_factory=dict)


class DistributionRejected(RewardsError):
    """Not one line could be applied; nothing was written and the request id is free again (ON3-7)."""

    code = ErrorCode.DISTRIBUTION_REJECTED

    def __init__(self, request_id: str, results: Sequence[LineOutcome]) -> None:
        """Keep the reasons of every line."""
        super().__init__("No line of the distribution could be applied.", ("input", "rewards"))
        self.request_id = request_id
        self.results = tuple(results)


def check_command(command: DistributeCommand) -> list[FieldError]:
    """Return every broken rule of the call as a whole (ON3-1, ON3-4, ON3-5); lines are judged one by one later."""
    errors = []
    if REQUEST_ID_PATTERN.fullmatch(command.request_id) is None:
        message = "requestId must be 1 to 128 letters, digits and hyphens."
        errors.append(FieldError(("input", "requestId"), "pattern", message))
    errors += check_text(
        command.description, ("input", "description"), TEXT_LENGTH_MAX, length_min=0
    )
    errors += check_text(command.message, ("input", "message"), TEXT_LENGTH_MAX, length_min=0)
    if not 1 <= len(command.lines) <= LINES_MAX:
        message = f"rewards must have 1 to {LINES_MAX} lines; it has {len(command.lines)}."
        errors.append(FieldError(("input", "rewards"), "count", message))
    return errors
