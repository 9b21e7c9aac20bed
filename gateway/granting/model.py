"""Granting: what is asked for and what comes of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.errors import FieldError
from gateway.grants.record import GrantRecord
from gateway.grants.status import ItemStatus
from gateway.ledger.assets import InexactAmount, to_minor
from gateway.members.model import MemberReference
from gateway.operations.model import KEY_LENGTH_MAX, Request, check_key
from gateway.text import check_json

CASH_SCALE = 2
CUSTOM_AMOUNT_MIN = Decimal(1)
CUSTOM_AMOUNT_MAX = Decimal(100)
ACTION_CODE_PATTERN = re.compile(r"[a-zA-Z0-9._-]{1,64}")


@dataclass(frozen=True, slots=True)
class CustomReward:
    """Cash for something the member did in the partner's own systems, to be claimed in time. Units: dollars."""

    amount: Decimal
    expires_at: datetime | None = None

    @property
    def amount_minor(self) -> int:
        """Return the amount in cents."""
        return to_minor(self.amount, CASH_SCALE)


@dataclass(frozen=True, slots=True)
class CatalogReward:
    """A reward of the caller's catalog. `reward_id` None stands for an id that can name no reward."""

    reward_id: UUID | None


@dataclass(frozen=True, slots=True)
class GrantCommand:
    """One grant to one member; `client_reference` is its idempotency key."""

    client_reference: str
    member: MemberReference
    reward: CustomReward | CatalogReward
    action_code: str | None
    metadata: Mapping[str, Any]
    is_dry_run: bool = False
    # What the member may read with the grant, where `metadata` is the partner's.
    member_metadata: Mapping[str, Any] | None = None

    @property
    def details(self) -> Mapping[str, Any]:
        """Return what the grant keeps beside its columns."""
        return {"member_metadata": self.member_metadata} if self.member_metadata else {}


@dataclass(slots=True)
class GrantJob:
    """A checked command on its way. The ids are made before any attempt, so that every attempt writes the same rows."""

    command: GrantCommand
    request: Request
    grant_id: UUID
    transaction_id: UUID


@dataclass(slots=True)
class GrantOutcome:
    """The grant, new or as first made."""

    grant: GrantRecord
    status: ItemStatus
    idempotent_replay: bool


def check_command(command: GrantCommand) -> list[FieldError]:
    """Return every broken rule of the command (OWN-3, OWN-4, OWN-5)."""
    errors = check_key(command.client_reference, ("input", "clientReference"), KEY_LENGTH_MAX)
    errors += check_json(dict(command.metadata), ("input", "metadata"))
    if command.member_metadata:
        errors += check_json(command.member_metadata, ("input", "memberMetadata"))
    errors += _check_action_code(command)
    if isinstance(command.reward, CustomReward):
        errors += _check_amount(command.reward)
    return errors


def _check_action_code(command: GrantCommand) -> list[FieldError]:
    path = ("input", "actionCode")
    if command.action_code is None:
        if isinstance(command.reward, CatalogReward):
            return []
        message = "actionCode is required beside a custom reward."
        return [FieldError(path, "required", message)]
    if ACTION_CODE_PATTERN.fullmatch(command.action_code) is None:
        message = "actionCode must be 1 to 64 characters of a-z, A-Z, 0-9, '.', '_' and '-'."
        return [FieldError(path, "pattern", message)]
    return []


def _check_amount(reward: CustomReward) -> list[FieldError]:
    path = ("input", "reward", "custom", "amount")
    amount = reward.amount
    # What is not a number cannot be compared with one.
    if not (amount.is_finite() and CUSTOM_AMOUNT_MIN <= amount <= CUSTOM_AMOUNT_MAX):
        message = "amount must be from 1.00 to 100.00 dollars, inclusive."
        return [FieldError(path, "range", message)]
    try:
        to_minor(amount, CASH_SCALE)
    except InexactAmount as error:
        return [FieldError(path, "decimals", f"amount {error}.")]
    return []
