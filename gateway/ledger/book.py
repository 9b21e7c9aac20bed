"""A working copy of locked balances: transfers are tried, refused or kept here, purely, before anything is written.

The order is always lock (store.lock_balances) -> decide (here) -> write (store.record): a fixed number of round trips,
whatever the number of transfers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from gateway.ledger.balance import Balance, Entry, EntryRange, Hold, Lot
from gateway.ledger.chain import next_hash, to_seconds
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


class _Before(NamedTuple):
    """What a balance was before an entry, so that a refusal can put it back."""

    account_id: UUID
    balance: Balance
    posted_minor: int
    debt_minor: int
    entry_count: int
    chain_hash: bytes
    consumed_minor: int | None


class _Posting(NamedTuple):
    """What the entries of one posting have in common, and what they have changed so far."""

    transaction_id: UUID
    grant_id: UUID | None
    occurred_at: datetime
    seconds: float
    changes: list[_Before]


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
        at = self.date(transaction.occurred_at)
        posting = _Posting(transaction.id, grant_id, at, to_seconds(at), [])
        start = position = self._entry_counts.get(transaction.id, 0)
        entry_count, lot_count = len(self.entries), len(self.opened_lots)
        try:
            for transfer in transfers:
                debit, credit, amount_minor = transfer
                if amount_minor <= 0 or debit.asset_id != credit.asset_id:
                    message = f"not a transfer of a positive amount within one asset: {transfer}"
                    raise ValueError(message)
                self._enter(posting, position, debit, -amount_minor, may_owe=may_owe)
                self._enter(posting, position + 1, credit, amount_minor)
                position += 2
        except (BalanceTooLow, BalanceTooHigh, ValueError):
            del self.entries[entry_count:], self.opened_lots[lot_count:]
            self._put_back(posting.changes)
            raise
        self._transactions.setdefault(transaction.id, transaction)
        self._entry_counts[transaction.id] = position
        for change in posting.changes:
            self.touched[change.account_id] = change.balance
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

    def date(self, occurred_at: datetime) -> datetime:
        """Return the date of what is posted now, by who began at a time: that time, or the accounts' newest entry's."""
        if self._not_before is not None and occurred_at < self._not_before:
            return self._not_before
        return occurred_at

    def _enter(
        self,
        posting: _Posting,
        position: int,
        account: Account,
        amount_minor: int,
        *,
        may_owe: bool = False,
    ) -> None:
        """Add one side of a transfer, and move the balance if the account is bounded."""
        transaction_id, grant_id, at, seconds, changes = posting
        account_id, asset_id = account.id, account.asset_id
        if not account.is_bounded:
            unkept = (None, None, None)
            self.entries.append(
                Entry(
                    transaction_id,
                    position,
                    account_id,
                    asset_id,
                    amount_minor,
                    grant_id,
                    at,
                    *unkept,
                )
            )
            return
        balance = self._balances[account_id]
        may_owe = may_owe and account.owner_kind is OwnerKind.MEMBER
        _require_room(account, balance, amount_minor, may_owe=may_owe)
        had_minor, sequence = balance.posted_minor, balance.entry_count + 1
        changes.append(
            _Before(
                account_id,
                balance,
                had_minor,
                balance.debt_minor,
                balance.entry_count,
                balance.chain_hash,
                self.consumed_minor.get(account_id),
            )
        )
        balance.posted_minor = posted_minor = had_minor + amount_minor
        balance.entry_count = sequence
        if balance.expires_after_days is not None:
            change_minor = max(0, posted_minor) - max(0, had_minor)
            self._keep_lots(account_id, balance, change_minor, at)
        if may_owe or balance.debt_minor:
            balance.settle_debt(may_owe=may_owe)
        balance.chain_hash = chain_hash = next_hash(
            balance.chain_hash,
            transaction_id,
            position,
            account_id,
            asset_id,
            amount_minor,
            grant_id,
            seconds,
            sequence,
            posted_minor,
        )
        self.entries.append(
            Entry(
                transaction_id,
                position,
                account_id,
                asset_id,
                amount_minor,
                grant_id,
                at,
                sequence,
                posted_minor,
                chain_hash,
            )
        )

    def _put_back(self, changes: Sequence[_Before]) -> None:
        """Undo a refused posting's changes, the last one first."""
        for account_id, balance, posted, debt, count, chain_hash, consumed in reversed(changes):
            balance.posted_minor, balance.debt_minor = posted, debt
            balance.entry_count, balance.chain_hash = count, chain_hash
            if consumed is None:
                self.consumed_minor.pop(account_id, None)
            else:
                self.consumed_minor[account_id] = consumed

    def _keep_lots(
        self, account_id: UUID, balance: Balance, change_minor: int, at: datetime
    ) -> None:
        """Open a lot for a credit, or count what a debit consumes; a debt is repaid before anything can expire.

        New lots expire no sooner than older ones, so it does not matter in which order a batch credits and debits: what it
        consumes in all is taken from the soonest expiring lots, the new ones last (docs/decisions/0028-expiry-in-lots.md).
        """
        if change_minor > 0 and balance.expires_after_days is not None:
            expires_at = at + timedelta(days=balance.expires_after_days)
            lot = Lot(account_id, balance.entry_count, change_minor, expires_at)
            self.opened_lots.append(lot)
        elif change_minor < 0:
            known = self.consumed_minor.get(account_id, 0)
            self.consumed_minor[account_id] = known - change_minor


def _require_room(account: Account, balance: Balance, amount_minor: int, *, may_owe: bool) -> None:
    """Raise if the amount, below zero where it leaves, does not fit on the account."""
    available_minor = balance.posted_minor - balance.held_minor
    if amount_minor < 0:
        if available_minor < -amount_minor and not may_owe:
            raise BalanceTooLow(account, -amount_minor, available_minor)
    elif available_minor + amount_minor > BALANCE_MINOR_MAX:
        raise BalanceTooHigh(account)
