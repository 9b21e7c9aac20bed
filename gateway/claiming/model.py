"""Claiming: what is asked for and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from gateway.errors import FieldError
from gateway.grants.record import GrantRecord
from gateway.grants.status import ItemStatus
from gateway.members.model import MemberReference
from gateway.operations.model import check_key

GRANTS_MAX = 100


@dataclass(frozen=True, slots=True)
class ClaimCommand:
    """Grants that a member claims; `member` None stands for the caller's own member.

    A grant id of None stands for an id that can name no grant.
    """

    request_id: str
    member: MemberReference | None
    grant_ids: Sequence[UUID | None]


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What became of one grant."""

    index: int
    status: ItemStatus
    grant_id: UUID | None


@dataclass(frozen=True, slots=True)
class ClaimOutcome:
    """What became of every grant, in the order sent. `fresh_grants` holds what this very call claimed."""

    request_id: str
    results: Sequence[ClaimResult]
    idempotent_replay: bool
    fresh_grants: Mapping[UUID, GrantRecord] = field(default_factory=dict)


def check_command(command: ClaimCommand) -> list[FieldError]:
    """Return every broken rule of form."""
    errors = check_key(command.request_id, ("input", "requestId"))
    if not 1 <= len(command.grant_ids) <= GRANTS_MAX:
        message = f"grantIds must have 1 to {GRANTS_MAX} ids; it has {len(command.grant_ids)}."
        errors.append(FieldError(("input", "grantIds"), "count", message))
    return errors
