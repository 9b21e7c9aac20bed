"""The ledger's words: accounts, transfers, transactions, entries, holds. No storage here."""

from __future__ import annotations

import enum
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.errors import ErrorCode, RewardsError
from gateway.ids import to_uuid

CHAIN_START = bytes(32)
# Far above any sum of transfers, and below PostgreSQL's bigint.
BALANCE_MINOR_MAX = 4 * 10**18


class OwnerKind(enum.StrEnum):
    """Whose account it is. Issuance and redemption are unbounded: they are what the organisation owes and took back.

    So is what has expired, which is the tenant's: a member's balance may come from several organisations.
    """

    MEMBER = "MEMBER"
    CLAIMABLE = "CLAIMABLE"
    STOCK = "STOCK"
    ISSUANCE = "ISSUANCE"
    REDEMPTION = "REDEMPTION"
    GROUP = "GROUP"
    BUDGET = "BUDGET"
    EXPIRED = "EXPIRED"


UNBOUNDED = frozenset({OwnerKind.ISSUANCE, OwnerKind.REDEMPTION, OwnerKind.EXPIRED})


class TransactionKind(enum.StrEnum):
    """Why a transaction was posted."""

    GRANT = "GRANT"
    ISSUANCE = "ISSUANCE"
    DISTRIBUTION = "DISTRIBUTION"
    CLAIM = "CLAIM"
    REVERSAL = "REVERSAL"
    STOCK = "STOCK"
    GROUP_FUNDING = "GROUP_FUNDING"
    CAMPAIGN = "CAMPAIGN"
    FUNDING = "FUNDING"
    CAPTURE = "CAPTURE"
    EXPIRY = "EXPIRY"


@dataclass(frozen=True, slots=True)
class Account:
    """A holder of one asset's balance.

    `id` follows from the other three, so that no look-up is needed to name an account that may not exist yet.
    """

    asset_id: UUID
    owner_kind: OwnerKind
    owner_id: UUID
    id: UUID = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Derive the id: 128 bits of BLAKE2b over kind, owner and asset."""
        name = self.owner_kind.encode() + self.owner_id.bytes + self.asset_id.bytes
        digest = hashlib.blake2b(name, digest_size=16).digest()
        object.__setattr__(self, "id", to_uuid(digest))

    @property
    def is_bounded(self) -> bool:
        """Tell whether the balance is kept in a row, locked, and may not go below zero."""
        return self.owner_kind not in UNBOUNDED


@dataclass(frozen=True, slots=True)
class Transfer:
    """An amount that leaves `debit` and arrives at `credit`; both hold the same asset. Units: minor, above zero."""

    debit: Account
    credit: Account
    amount_minor: int

    def reversed(self) -> Transfer:
        """Return the transfer that takes this one back."""
        return Transfer(self.credit, self.debit, self.amount_minor)


@dataclass(frozen=True, slots=True)
class Transaction:
    """What entries are grouped under. `payload` becomes its outbox event."""

    id: UUID
    kind: TransactionKind
    operation_id: UUID
    occurred_at: datetime
    payload: Mapping[str, Any]
    description: str | None = None
    reverses_id: UUID | None = None


class BalanceTooLow(RewardsError):
    """A bounded account would go below zero; nothing of the refused transfers was kept."""

    def __init__(self, account: Account, required_minor: int, available_minor: int) -> None:
        """Keep what was needed and what was there, in minor units."""
        super().__init__(f"{required_minor} needed, {available_minor} available (smallest units).")
        self.account = account
        self.required_minor = required_minor
        self.available_minor = available_minor


class BalanceTooHigh(RewardsError):
    """An account would exceed what the ledger can count."""

    def __init__(self, account: Account) -> None:
        """Keep the account."""
        super().__init__("The balance would exceed what the ledger can count.")
        self.account = account


class HoldEnded(RewardsError):
    """The hold was captured or released before, or its time is over: it ends once."""

    code = ErrorCode.HOLD_ENDED
