"""Holding: what is asked for, which rules it keeps, and what comes of it."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from gateway.errors import FieldError, InvalidInput
from gateway.ledger.assets import Asset, AssetKind, InexactAmount, to_minor
from gateway.ledger.balance import Hold
from gateway.ledger.model import Account, OwnerKind
from gateway.members.model import MemberReference
from gateway.operations.model import check_key
from gateway.text import check_text

REASON_LENGTH_MAX = 256
EXPIRES_IN_SECONDS_MAX = 30 * 24 * 3_600

# Experience is never spent, and units and entries are given, not paid with.
HOLDABLE_KINDS = frozenset({AssetKind.POINTS, AssetKind.CURRENCY, AssetKind.CASH})


class HoldStatus(enum.StrEnum):
    """Where a hold stands; it ends once."""

    OPEN = "OPEN"
    CAPTURED = "CAPTURED"
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


@dataclass(frozen=True, slots=True)
class ReserveCommand:
    """An amount to reserve. `asset_id` None stands for an id that can name no asset."""

    request_id: str
    member: MemberReference
    asset_id: UUID | None
    amount: Decimal
    expires_in_seconds: int
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class CaptureCommand:
    """A hold to take, whole or (with an amount) in part. `hold_id` None stands for an id that can name no hold."""

    request_id: str
    hold_id: UUID | None
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class ReleaseCommand:
    """A hold to set free. `hold_id` None stands for an id that can name no hold."""

    request_id: str
    hold_id: UUID | None


@dataclass(frozen=True, slots=True)
class HoldRecord:
    """A reservation and its hold. Units: minor.

    `status` is what was so at `read_at`, by the database's clock: an open hold whose time was over counts as expired, though it
    may yet have to be ended.
    """

    id: UUID
    organization_id: UUID
    member_id: UUID
    asset_id: UUID
    amount_minor: int
    status: HoldStatus
    captured_minor: int | None
    reason: str | None
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    transaction_id: UUID | None
    operation_id: UUID
    read_at: datetime

    @property
    def hold(self) -> Hold:
        """Return the hold as the ledger knows it."""
        account = Account(self.asset_id, OwnerKind.MEMBER, self.member_id)
        return Hold(self.id, account, self.amount_minor, self.operation_id, self.expires_at)


@dataclass(frozen=True, slots=True)
class HoldOutcome:
    """The hold as it stands now."""

    hold: HoldRecord
    idempotent_replay: bool


def check_reserve(command: ReserveCommand) -> list[FieldError]:
    """Return every broken rule of form."""
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += _check_sign(command.amount)
    if not 1 <= command.expires_in_seconds <= EXPIRES_IN_SECONDS_MAX:
        message = f"expiresInSeconds must be from 1 to {EXPIRES_IN_SECONDS_MAX}."
        errors.append(FieldError(("input", "expiresInSeconds"), "range", message))
    return errors + check_text(command.reason, ("input", "reason"), REASON_LENGTH_MAX, length_min=0)


def check_capture(command: CaptureCommand) -> list[FieldError]:
    """Return every broken rule of form."""
    errors = check_key(command.request_id, ("input", "requestId"))
    return errors if command.amount is None else errors + _check_sign(command.amount)


def read_amount(amount: Decimal, asset: Asset) -> int:
    """Return an amount above zero in the asset's smallest units.

    Raises:
        InvalidInput: it is not exact in the asset.
    """
    try:
        return to_minor(amount, asset.scale)
    except InexactAmount as error:
        path = ("input", "amount")
        raise InvalidInput([FieldError(path, "decimals", f"amount {error}.")]) from error


def _check_sign(amount: Decimal) -> list[FieldError]:
    if amount.is_finite() and amount > 0:
        return []
    return [FieldError(("input", "amount"), "range", "amount must be above 0.")]
