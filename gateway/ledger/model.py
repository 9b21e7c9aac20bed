"""The ledger's words: accounts, transfers, transactions, entries, holds. No storage here."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from gateway.errors import ErrorCode, RewardsError
from gateway.ids import to_uuid

CHAIN_START = bytes(32)
# Far above any sum of transfers, and below PostgreSQL's bigint.
BALANCE_MINOR_MAX = 4 * 10**18


class OwnerKind(enum.StrEnum):
    """Whose account it is. Issuance and redemption are unbounded: they are what the organization owes and took back.

    So is what has expired, which is the tenant's: a member's balance may come from several organizations.
    """

    MEMBER = "MEMBER"
    CLAIMABLE = "CLAIMABLE"
    STOCK = "STOCK"
    ISSUANCE = "ISSUANCE"
    REDEMPTION = "REDEMPTION"
    GROUP = "GROUP"
    BUDGET = "BUDGET"
    EXPIRED = "EXPIRED"

    # Its own would call Python; every account looks its kind up twice.
    __hash__ = str.__hash__


UNBOUNDED = frozenset({OwnerKind.ISSUANCE, OwnerKind.REDEMPTION, OwnerKind.EXPIRED})
_KIND_NAMES = {kind: kind.encode() for kind in OwnerKind}


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


class Account:
    """A holder of one asset's balance, equal to every other of the same id.

    `id` follows from the other three, so that no look-up is needed to name an account that may not exist yet. `is_bounded`
    tells whether the balance is kept in a row, locked, and may not go below zero. None of them changes; a frozen dataclass
    would only take three times as long to make, of which there are two for every transfer.
    """

    __slots__ = ("asset_id", "id", "is_bounded", "owner_id", "owner_kind")

    def __init__(self, asset_id: UUID, owner_kind: OwnerKind, owner_id: UUID) -> None:
        """Derive the id: 128 bits of BLAKE2b over kind, owner and asset."""
        self.asset_id = asset_id
        self.owner_kind = owner_kind
        self.owner_id = owner_id
        self.is_bounded = owner_kind not in UNBOUNDED
        name = _KIND_NAMES[owner_kind] + owner_id.bytes + asset_id.bytes
        self.id = to_uuid(blake2b(name, digest_size=16).digest())

    def __eq__(self, other: object) -> bool:
        """Compare by id."""
        return isinstance(other, Account) and self.id == other.id

    def __hash__(self) -> int:
        """Hash by id."""
        return hash(self.id)

    def __repr__(self) -> str:
        """Return what a person needs to recognize it."""
        return f"Account({self.asset_id}, {self.owner_kind}, {self.owner_id})"


@lru_cache(maxsize=1_024)
def organization_account(asset_id: UUID, owner_kind: OwnerKind, organization_id: UUID) -> Account:
    """Return an account that is in every other transfer, such as an organization's issuance: made once, not for each line."""
    return Account(asset_id, owner_kind, organization_id)


class Transfer(NamedTuple):
    """An amount that leaves `debit` and arrives at `credit`; both hold the same asset. Units: minor, above zero."""

    debit: Account
    credit: Account
    amount_minor: int

    def reversed(self) -> Transfer:
        """Return the transfer that takes this one back."""
        return Transfer(self.credit, self.debit, self.amount_minor)


class Transaction(NamedTuple):
    """What entries are grouped under. `payload` becomes its outbox event; `credential_id` None is the gateway itself."""

    id: UUID
    kind: TransactionKind
    operation_id: UUID
    occurred_at: datetime
    payload: Mapping[str, Any]
    description: str | None = None
    reverses_id: UUID | None = None
    credential_id: UUID | None = None


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
