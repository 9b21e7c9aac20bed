"""The pure book: parts of holds, debts, dates and lots."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.ids import new_id
from gateway.ledger.balance import Balance, Hold, Lot
from gateway.ledger.book import Book
from gateway.ledger.model import (
    CHAIN_START,
    Account,
    BalanceTooLow,
    OwnerKind,
    Transaction,
    TransactionKind,
    Transfer,
)

POINTS = UUID(int=1)
ADA = Account(POINTS, OwnerKind.MEMBER, UUID(int=20))
STOCK = Account(POINTS, OwnerKind.STOCK, POINTS)
ISSUANCE = Account(POINTS, OwnerKind.ISSUANCE, UUID(int=10))
REDEMPTION = Account(POINTS, OwnerKind.REDEMPTION, UUID(int=10))
AT = datetime(2026, 11, 23, 6, tzinfo=UTC)


def transaction() -> Transaction:
    return Transaction(new_id(), TransactionKind.GRANT, new_id(), AT, {})


def new_book(
    posted: int = 10, days: int | None = None, not_before: datetime | None = None
) -> tuple[Book, Balance]:
    """Return a book on Ada's account and a stock, and Ada's balance."""
    balance = Balance(posted, 0, 4, CHAIN_START, expires_after_days=days)
    return Book({ADA.id: balance, STOCK.id: Balance(0, 0, 0, CHAIN_START)}, not_before), balance


@pytest.mark.requirement("CAP-4")
def test_a_part_of_a_hold_is_taken_and_the_rest_is_free() -> None:
    book, balance = new_book()
    hold = Hold(new_id(), ADA, 6, new_id())
    book.hold(hold)
    book.capture(hold, transaction(), REDEMPTION, amount_minor=2)
    assert (balance.posted_minor, balance.held_minor, balance.available_minor) == (8, 0, 8)
    assert book.ended_holds == {hold.id: "CAPTURED"}


@pytest.mark.requirement("CAP-4")
def test_more_than_was_held_is_never_taken() -> None:
    book, balance = new_book()
    hold = Hold(new_id(), ADA, 6, new_id())
    book.hold(hold)
    with pytest.raises(ValueError, match="more than was held"):
        book.capture(hold, transaction(), REDEMPTION, amount_minor=7)
    assert (balance.posted_minor, balance.held_minor, book.ended_holds) == (10, 6, {})


@pytest.mark.requirement("ALL-4")
def test_only_a_member_may_owe_and_only_where_it_is_said() -> None:
    book, balance = new_book(3)
    with pytest.raises(BalanceTooLow):
        book.post(transaction(), [Transfer(ADA, ISSUANCE, 5)])
    with pytest.raises(BalanceTooLow):
        book.post(transaction(), [Transfer(STOCK, ISSUANCE, 5)], may_owe=True)
    book.post(transaction(), [Transfer(ADA, ISSUANCE, 5)], may_owe=True)
    assert (balance.posted_minor, balance.debt_minor) == (-2, 2)
    book.post(transaction(), [Transfer(ISSUANCE, ADA, 1)])
    assert (balance.posted_minor, balance.debt_minor) == (-1, 1)
    book.post(transaction(), [Transfer(ISSUANCE, ADA, 4)])
    assert (balance.posted_minor, balance.debt_minor) == (3, 0)


@pytest.mark.requirement("ALL-3")
def test_no_entry_is_dated_before_the_one_it_follows() -> None:
    later = AT + timedelta(seconds=5)
    book, _ = new_book(not_before=later)
    book.post(transaction(), [Transfer(ISSUANCE, ADA, 1)])
    assert {entry.occurred_at for entry in book.entries} == {later}
    book, _ = new_book(not_before=AT - timedelta(seconds=5))
    book.post(transaction(), [Transfer(ISSUANCE, ADA, 1)])
    assert {entry.occurred_at for entry in book.entries} == {AT}


@pytest.mark.requirement("ALL-7")
def test_credits_open_lots_and_debits_are_counted() -> None:
    book, _ = new_book(days=30)
    moved = [Transfer(ISSUANCE, ADA, 7), Transfer(ADA, ISSUANCE, 2), Transfer(ADA, ISSUANCE, 3)]
    book.post(transaction(), moved)
    # The fifth entry of the account.
    assert book.opened_lots == [Lot(ADA.id, 5, 7, AT + timedelta(days=30))]
    assert book.consumed_minor == {ADA.id: 5}


@pytest.mark.requirement("ALL-7")
def test_what_does_not_expire_has_no_lots() -> None:
    book, _ = new_book()
    book.post(transaction(), [Transfer(ISSUANCE, ADA, 7), Transfer(ADA, ISSUANCE, 2)])
    assert (book.opened_lots, book.consumed_minor) == ([], {})


@pytest.mark.requirement("ALL-7")
def test_a_debt_takes_no_lots_and_its_repayment_opens_none() -> None:
    book, _ = new_book(3, days=30)
    book.post(transaction(), [Transfer(ADA, ISSUANCE, 5)], may_owe=True)
    assert book.consumed_minor == {ADA.id: 3}
    book.post(transaction(), [Transfer(ISSUANCE, ADA, 2)])
    assert book.opened_lots == []
    book.post(transaction(), [Transfer(ISSUANCE, ADA, 4)])
    assert [lot.amount_minor for lot in book.opened_lots] == [4]


def test_a_refusal_puts_back_lots_debts_and_counts() -> None:
    book, balance = new_book(days=30)
    book.post(transaction(), [Transfer(ADA, REDEMPTION, 12)], may_owe=True)
    before = (
        Balance(**{name: getattr(balance, name) for name in Balance.__slots__}),
        list(book.entries),
    )
    consumed, opened, kept = dict(book.consumed_minor), list(book.opened_lots), dict(book.touched)
    doomed = transaction()
    with pytest.raises(BalanceTooLow):
        book.post(
            doomed,
            [
                Transfer(ISSUANCE, ADA, 7),
                Transfer(ADA, REDEMPTION, 4),
                Transfer(ISSUANCE, STOCK, 1),
                Transfer(ADA, REDEMPTION, 2),
            ],
        )
    with pytest.raises(ValueError, match="not a transfer of a positive amount"):
        book.post(doomed, [Transfer(ISSUANCE, ADA, 7), Transfer(ISSUANCE, ADA, 0)])
    assert (balance, book.entries) == before
    assert (book.consumed_minor, book.opened_lots, book.touched) == (consumed, opened, kept)
    assert doomed not in book.transactions
    assert book.post(doomed, [Transfer(ISSUANCE, ADA, 7)]).start == 0


def test_a_refusal_of_the_first_debit_leaves_no_count_of_what_is_consumed() -> None:
    book, _ = new_book(days=30)
    with pytest.raises(BalanceTooLow):
        book.post(transaction(), [Transfer(ADA, REDEMPTION, 4), Transfer(ADA, REDEMPTION, 8)])
    assert (book.consumed_minor, book.opened_lots, book.touched) == ({}, [], {})
