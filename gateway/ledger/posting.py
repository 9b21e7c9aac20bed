"""One posting on locked balances: what its entries have in common, and what to put back if it is refused. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

from gateway.ledger.balance import Balance, Entry, Lot
from gateway.ledger.chain import next_hash, to_seconds
from gateway.ledger.model import (
    BALANCE_MINOR_MAX,
    Account,
    BalanceTooHigh,
    BalanceTooLow,
    OwnerKind,
    Transaction,
)

# Of an entry on a bounded account: its sequence, the balance after it, and its hash.
Kept: TypeAlias = "tuple[int, int, bytes] | tuple[None, None, None]"
UNKEPT: Kept = (None, None, None)
# An account, its balance, and what that was before an entry: posted, debt, count of entries, hash, what was consumed of lots.
_Before: TypeAlias = "tuple[UUID, Balance, int, int, int, bytes, int | None]"

# Makes an entry of its columns in half of the time that naming each of them takes; there are two for every transfer.
make_entry: Callable[[tuple[Any, ...]], Entry] = partial(tuple.__new__, Entry)


class Posting:
    """Moves bounded balances for the transfers of one posting, and can put all of them back."""

    __slots__ = ("_changes", "_consumed_minor", "_grant_id", "_lots", "_seconds", "at", "id")

    def __init__(
        self,
        transaction: Transaction,
        grant_id: UUID | None,
        at: datetime,
        lots: list[Lot],
        consumed_minor: dict[UUID, int],
    ) -> None:
        """Take what the entries share, and the book's lots: those that it opens, and what it consumes of each account's."""
        self.id = transaction.id
        self.at = at
        self._grant_id = grant_id
        self._seconds = to_seconds(at)
        self._lots = lots
        self._consumed_minor = consumed_minor
        self._changes: list[_Before] = []

    def move(
        self, account: Account, balance: Balance, amount_minor: int, position: int, *, may_owe: bool
    ) -> Kept:
        """Move a bounded account's balance, and return what the entry at this position keeps of it.

        Raises:
            BalanceTooLow: the account would go below zero.
            BalanceTooHigh: it would exceed the ledger's bound.
        """
        may_owe = may_owe and account.owner_kind is OwnerKind.MEMBER
        had_minor, account_id = balance.posted_minor, account.id
        available_minor = had_minor - balance.held_minor
        if amount_minor < 0:
            if available_minor < -amount_minor and not may_owe:
                raise BalanceTooLow(account, -amount_minor, available_minor)
        elif available_minor + amount_minor > BALANCE_MINOR_MAX:
            raise BalanceTooHigh(account)
        sequence, chain_hash = balance.entry_count + 1, balance.chain_hash
        consumed_minor = self._consumed_minor.get(account_id)
        self._changes.append(
            (
                account_id,
                balance,
                had_minor,
                balance.debt_minor,
                sequence - 1,
                chain_hash,
                consumed_minor,
            )
        )
        balance.posted_minor = posted_minor = had_minor + amount_minor
        balance.entry_count = sequence
        if balance.expires_after_days is not None:
            self._keep_lots(account_id, balance, max(0, posted_minor) - max(0, had_minor))
        if may_owe or balance.debt_minor:
            balance.settle_debt(may_owe=may_owe)
        balance.chain_hash = chain_hash = next_hash(
            chain_hash,
            self.id,
            position,
            account_id,
            account.asset_id,
            amount_minor,
            self._grant_id,
            self._seconds,
            sequence,
            posted_minor,
        )
        return sequence, posted_minor, chain_hash

    def keep(self, touched: dict[UUID, Balance]) -> None:
        """Name the balances that were moved."""
        for change in self._changes:
            touched[change[0]] = change[1]

    def put_back(self) -> None:
        """Undo every move, the last one first."""
        for account_id, balance, posted, debt, count, chain_hash, consumed in reversed(
            self._changes
        ):
            balance.posted_minor, balance.debt_minor = posted, debt
            balance.entry_count, balance.chain_hash = count, chain_hash
            if consumed is None:
                self._consumed_minor.pop(account_id, None)
            else:
                self._consumed_minor[account_id] = consumed

    def _keep_lots(self, account_id: UUID, balance: Balance, change_minor: int) -> None:
        """Open a lot for a credit, or count what a debit consumes; a debt is repaid before anything can expire.

        New lots expire no sooner than older ones, so it does not matter in which order a batch credits and debits: what it
        consumes in all is taken from the soonest expiring lots, the new ones last (docs/decisions/0028-expiry-in-lots.md).
        """
        if change_minor > 0 and balance.expires_after_days is not None:
            expires_at = self.at + timedelta(days=balance.expires_after_days)
            self._lots.append(Lot(account_id, balance.entry_count, change_minor, expires_at))
        elif change_minor < 0:
            known = self._consumed_minor.get(account_id, 0)
            self._consumed_minor[account_id] = known - change_minor
