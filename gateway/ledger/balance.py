"""What a book keeps: locked balances, and the entries, holds and lots that change them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.ledger.model import Account, Transfer


@dataclass(slots=True)
class Balance:
    """A bounded account's locked balance, in minor units, and the head of its chain of entries."""

    posted_minor: int
    held_minor: int
    entry_count: int
    chain_hash: bytes
    debt_minor: int = 0
    expires_after_days: int | None = None

    @property
    def available_minor(self) -> int:
        """Return what may be spent: posted less held; below zero where the owner has a debt."""
        return self.posted_minor - self.held_minor

    def settle_debt(self, *, may_owe: bool) -> None:
        """Let the debt shrink to what is below zero; only who may owe lets it grow to that."""
        below_zero = max(0, -self.available_minor)
        self.debt_minor = below_zero if may_owe else min(self.debt_minor, below_zero)


class Entry(NamedTuple):
    """One side of a transfer, in the column order of `ledger_entries`; the last three only on bounded accounts."""

    transaction_id: UUID
    position: int
    account_id: UUID
    asset_id: UUID
    amount_minor: int
    grant_id: UUID | None
    occurred_at: datetime
    sequence: int | None
    balance_after_minor: int | None
    chain_hash: bytes | None


class Lot(NamedTuple):
    """A credit that expires: the entry that made it, and what it added to what its owner has. Units: minor."""

    account_id: UUID
    sequence: int
    amount_minor: int
    expires_at: datetime


class EntryRange(NamedTuple):
    """The entries of one posting within its transaction: from `start` up to, not including, `stop`."""

    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A reserved part of an account's available balance. Units: minor."""

    id: UUID
    account: Account
    amount_minor: int
    operation_id: UUID
    expires_at: datetime | None = None


def bounded_accounts(transfers: Iterable[Transfer]) -> set[Account]:
    """Return the accounts that must be locked before these transfers are tried."""
    wanted: dict[UUID, Account] = {}
    for debit, credit, _ in transfers:
        if debit.is_bounded:
            wanted[debit.id] = debit
        if credit.is_bounded:
            wanted[credit.id] = credit
    return set(wanted.values())
