"""A working copy of locked balances: transfers are tried, refused or kept here, purely, before anything is written.

The order is always lock (store.lock_balances) -> decide (here) -> write (store.record): two round trips, whatever the number
of transfers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from gateway.ledger.chain import next_hash
from gateway.ledger.model import (
    BALANCE_MINOR_MAX,
    Account,
    BalanceTooHigh,
    BalanceTooLow,
    HoldEnded,
    OwnerKind,
    Transaction,
    Transfer,
)


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


class Book:
    """Locked balances, and what has been posted on them so far.

    No entry is dated before `not_before`, the time of the newest entry that the accounts have: whoever began earlier may post
    later, and each account's entries are in the order of time (docs/decisions/0026-entries-in-order-of-time.md).
    """

    def __init__(
        self, balances: Mapping[UUID, Balance], not_before: datetime | None = None
    ) -> None:
        """Take the balances of every bounded account that will be used, by account id."""
        self._balances = balances
        self._not_before = not_before
        self._transactions: dict[UUID, Transaction] = {}
        self._entry_counts: dict[UUID, int] = {}
        self.entries: list[Entry] = []
        self.touched: dict[UUID, Balance] = {}
        self.placed_holds: list[Hold] = []
        self.ended_holds: dict[UUID, str] = {}
        self.opened_lots: list[Lot] = []
        self.consumed_minor: dict[UUID, int] = {}

    @property
    def transactions(self) -> list[Transaction]:
        """Return every transaction opened, in order."""
        return list(self._transactions.values())

    def available_minor(self, account: Account) -> int:
        """Return what a bounded account can spend now, after everything tried so far."""
        return self._balances[account.id].available_minor

    def open(self, transaction: Transaction) -> None:
        """Begin a transaction, once; it is recorded even if no entry follows (a coupon moves nothing)."""
        self._transactions.setdefault(transaction.id, transaction)
        self._entry_counts.setdefault(transaction.id, 0)

    def post(
        self,
        transaction: Transaction,
        transfers: Sequence[Transfer],
        grant_id: UUID | None = None,
        *,
        may_owe: bool = False,
    ) -> EntryRange:
        """Apply transfers in order, all or none, and return where their entries stand in the transaction.

        Where `may_owe`, members' accounts may go below zero: what is missing becomes their debt, which later credits repay.

        Raises:
            BalanceTooLow: a bounded account would go below zero.
            BalanceTooHigh: an account would exceed the ledger's bound.
        """
        self._check(transfers, may_owe=may_owe)
        self.open(transaction)
        start = self._entry_counts[transaction.id]
        position = start
        for transfer in transfers:
            debit, credit, amount = transfer.debit, transfer.credit, transfer.amount_minor
            self._enter(transaction, position, debit, -amount, grant_id, may_owe=may_owe)
            self._enter(transaction, position + 1, credit, amount, grant_id)
            position += 2
        self._entry_counts[transaction.id] = position
        return EntryRange(start, position)

    def hold(self, hold: Hold) -> None:
        """Reserve part of the available balance.

        Raises:
            BalanceTooLow: less than the amount is available.
        """
        balance = self._balances[hold.account.id]
        if balance.available_minor < hold.amount_minor:
            raise BalanceTooLow(hold.account, hold.amount_minor, balance.available_minor)
        balance.held_minor += hold.amount_minor
        self.touched[hold.account.id] = balance
        self.placed_holds.append(hold)

    def release(self, hold: Hold) -> None:
        """End a hold and make its amount available again.

        Raises:
            HoldEnded: it has ended before.
        """
        self._end(hold, "RELEASED")

    def expire(self, hold: Hold) -> None:
        """End a hold whose time is over, and make its amount available again.

        Raises:
            HoldEnded: it has ended before.
        """
        self._end(hold, "EXPIRED")

    def capture(
        self,
        hold: Hold,
        transaction: Transaction,
        credit: Account,
        grant_id: UUID | None = None,
        *,
        amount_minor: int | None = None,
    ) -> EntryRange:
        """End a hold by moving its amount, or a part of it, to `credit`; the rest is available again.

        Raises:
            HoldEnded: it has ended before.
        """
        amount_minor = hold.amount_minor if amount_minor is None else amount_minor
        if amount_minor > hold.amount_minor:
            message = f"more than was held: {amount_minor} of {hold.amount_minor}"
            raise ValueError(message)
        self._end(hold, "CAPTURED")
        # What was reserved is there for this, even where a reversal has left the rest of the account below zero since.
        transfers = [Transfer(hold.account, credit, amount_minor)]
        return self.post(transaction, transfers, grant_id, may_owe=True)

    def _end(self, hold: Hold, status: str) -> None:
        if hold.id in self.ended_holds:
            raise HoldEnded("The hold has ended before.")
        balance = self._balances[hold.account.id]
        balance.held_minor -= hold.amount_minor
        balance.settle_debt(may_owe=False)
        self.touched[hold.account.id] = balance
        self.ended_holds[hold.id] = status

    def _check(self, transfers: Sequence[Transfer], *, may_owe: bool) -> None:
        """Walk the transfers on a scratch copy, so that a refusal leaves the book as it was."""
        scratch: dict[UUID, int] = {}
        for transfer in transfers:
            if transfer.amount_minor <= 0 or transfer.debit.asset_id != transfer.credit.asset_id:
                message = f"not a transfer of a positive amount within one asset: {transfer}"
                raise ValueError(message)
            if transfer.debit.is_bounded:
                available = self._scratch(scratch, transfer.debit)
                is_owed = may_owe and transfer.debit.owner_kind is OwnerKind.MEMBER
                if available < transfer.amount_minor and not is_owed:
                    raise BalanceTooLow(transfer.debit, transfer.amount_minor, available)
                scratch[transfer.debit.id] = available - transfer.amount_minor
            if transfer.credit.is_bounded:
                available = self._scratch(scratch, transfer.credit)
                if available + transfer.amount_minor > BALANCE_MINOR_MAX:
                    raise BalanceTooHigh(transfer.credit)
                scratch[transfer.credit.id] = available + transfer.amount_minor

    def _scratch(self, scratch: Mapping[UUID, int], account: Account) -> int:
        known = scratch.get(account.id)
        return self._balances[account.id].available_minor if known is None else known

    def _enter(
        self,
        transaction: Transaction,
        position: int,
        account: Account,
        amount_minor: int,
        grant_id: UUID | None,
        *,
        may_owe: bool = False,
    ) -> None:
        columns = (transaction.id, position, account.id, account.asset_id, amount_minor, grant_id)
        at = transaction.occurred_at
        if self._not_before is not None and at < self._not_before:
            at = self._not_before
        if not account.is_bounded:
            self.entries.append(Entry(*columns, at, None, None, None))
            return
        balance = self._balances[account.id]
        had_minor = max(0, balance.posted_minor)
        balance.posted_minor += amount_minor
        if balance.expires_after_days is not None:
            change_minor = max(0, balance.posted_minor) - had_minor
            self._keep_lots(account.id, balance, change_minor, at)
        balance.settle_debt(may_owe=may_owe and account.owner_kind is OwnerKind.MEMBER)
        balance.entry_count += 1
        balance.chain_hash = next_hash(
            balance.chain_hash,
            transaction.id,
            position,
            account.id,
            account.asset_id,
            amount_minor,
            grant_id,
            at,
            balance.entry_count,
            balance.posted_minor,
        )
        self.touched[account.id] = balance
        self.entries.append(
            Entry(*columns, at, balance.entry_count, balance.posted_minor, balance.chain_hash)
        )

    def _keep_lots(
        self, account_id: UUID, balance: Balance, change_minor: int, at: datetime
    ) -> None:
        """Open a lot for a credit, or count what a debit consumes; a debt is repaid before anything can expire.

        New lots expire no sooner than older ones, so it does not matter in which order a batch credits and debits: what it
        consumes in all is taken from the soonest expiring lots, the new ones last (docs/decisions/0028-expiry-in-lots.md).
        """
        if change_minor > 0 and balance.expires_after_days is not None:
            expires_at = at + timedelta(days=balance.expires_after_days)
            # The entry is about to be counted.
            sequence = balance.entry_count + 1
            self.opened_lots.append(Lot(account_id, sequence, change_minor, expires_at))
        elif change_minor < 0:
            known = self.consumed_minor.get(account_id, 0)
            self.consumed_minor[account_id] = known - change_minor


def bounded_accounts(transfers: Iterable[Transfer]) -> set[Account]:
    """Return the accounts that must be locked before these transfers are tried."""
    return {
        account
        for transfer in transfers
        for account in (transfer.debit, transfer.credit)
        if account.is_bounded
    }
