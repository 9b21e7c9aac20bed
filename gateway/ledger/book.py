"""A working copy of locked balances: transfers are tried, refused or kept here, purely, before anything is written.

The order is always lock (store.lock_balances) -> decide (here) -> write (store.record): a fixed number of round trips,
whatever the number of transfers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from gateway.ledger.balance import Balance, Entry, EntryRange, Hold, Lot
from gateway.ledger.limits import DailyLimits
from gateway.ledger.model import (
    Account,
    BalanceTooHigh,
    BalanceTooLow,
    HoldEnded,
    Transaction,
    Transfer,
)
from gateway.ledger.posting import UNKEPT, Posting, make_entry


class Book:
    """Locked balances, and what has been posted on them so far.

    No entry is dated before `not_before`, the time of the newest entry that the accounts have: whoever began earlier may post
    later, and each account's entries are in the order of time (docs/decisions/0026-entries-in-order-of-time.md).
    """

    def __init__(
        self,
        balances: Mapping[UUID, Balance],
        not_before: datetime | None = None,
        limits: DailyLimits | None = None,
    ) -> None:
        """Take the balances of every bounded account that will be used, by account id, and the limits that hold."""
        self._balances = balances
        self._not_before = not_before
        self.limits = limits
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
            LimitExceeded: the credential may issue no such amount today.
        """
        issued = None if self.limits is None else self.limits.check(transfers)
        at = self.date(transaction.occurred_at)
        posting = Posting(transaction, grant_id, at, self.opened_lots, self.consumed_minor)
        entries, balances = self.entries, self._balances
        start = position = self._entry_counts.get(transaction.id, 0)
        entry_count, lot_count = len(entries), len(self.opened_lots)
        try:
            for transfer in transfers:
                debit, credit, amount_minor = transfer
                asset_id = debit.asset_id
                if amount_minor <= 0 or asset_id != credit.asset_id:
                    message = f"not a transfer of a positive amount within one asset: {transfer}"
                    raise ValueError(message)
                for account, moved_minor in ((debit, -amount_minor), (credit, amount_minor)):
                    account_id, kept = account.id, UNKEPT
                    if account.is_bounded:
                        balance = balances[account_id]
                        owes = may_owe and account is debit
                        kept = posting.move(account, balance, moved_minor, position, may_owe=owes)
                    entries.append(
                        make_entry(
                            (
                                posting.id,
                                position,
                                account_id,
                                asset_id,
                                moved_minor,
                                grant_id,
                                at,
                                *kept,
                            )
                        )
                    )
                    position += 1
        except (BalanceTooLow, BalanceTooHigh, ValueError):
            del entries[entry_count:], self.opened_lots[lot_count:]
            posting.put_back()
            raise
        self._transactions.setdefault(transaction.id, transaction)
        self._entry_counts[transaction.id] = position
        posting.keep(self.touched)
        if issued and self.limits is not None:
            self.limits.count(issued)
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
