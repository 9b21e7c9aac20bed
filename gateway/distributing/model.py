"""Distributing: what is asked for, and which rules the call as a whole keeps."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from gateway.errors import FieldError
from gateway.members.identifiers import IdentifierKind
from gateway.text import check_text

LINES_MAX = 10_000
TEXT_LENGTH_MAX = 256
REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9-]{1,128}")


# What there is one of for each line is a named tuple: half the cost of a frozen dataclass.
class Recipient(NamedTuple):
    """Who receives a line. `kind` None means that `value` is a member id."""

    kind: IdentifierKind | None
    value: str


class DistributionLine(NamedTuple):
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
