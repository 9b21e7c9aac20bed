"""The pure book: what is posted, refused and held, in which order, and what each leaves behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.ids import new_id
from gateway.ledger.balance import Balance, EntryRange, Hold, bounded_accounts
from gateway.ledger.book import Book
from gateway.ledger.chain import next_hash, to_seconds
from gateway.ledger.model import (
    BALANCE_MINOR_MAX,
    CHAIN_START,
    Account,
    BalanceTooHigh,
    BalanceTooLow,
    HoldEnded,
    OwnerKind,
    Transaction,
    TransactionKind,
    Transfer,
)

POINTS, GEMS = UUID(int=1), UUID(int=2)
ORGANIZATION = UUID(int=10)
ADA, GRACE = (Account(POINTS, OwnerKind.MEMBER, UUID(int=number)) for number in (20, 21))
ADAS_GEMS = Account(GEMS, OwnerKind.MEMBER, UUID(int=20))
ISSUANCE = Account(POINTS, OwnerKind.ISSUANCE, ORGANIZATION)
REDEMPTION = Account(POINTS, OwnerKind.REDEMPTION, ORGANIZATION)
AT = datetime(2026, 11, 23, 6, 0, 0, 123456, tzinfo=UTC)


def new_book(**available: int) -> Book:
    """Return a book on Ada's and Grace's points; Ada has 10 unless said otherwise."""
    amounts = {
        ADA.id: available.get("ada", 10),
        GRACE.id: available.get("grace", 0),
        ADAS_GEMS.id: 0,
    }
    return Book(
        {account_id: Balance(amount, 0, 0, CHAIN_START) for account_id, amount in amounts.items()}
    )


def new_transaction(kind: TransactionKind = TransactionKind.GRANT) -> Transaction:
    return Transaction(new_id(), kind, new_id(), AT, {})


def state_of(book: Book) -> tuple[object, ...]:
    """Return all that a refusal must not change."""
    return (
        [book.available_minor(account) for account in (ADA, GRACE, ADAS_GEMS)],
        list(book.entries),
        dict(book.touched),
        book.transactions,
        list(book.placed_holds),
        dict(book.ended_holds),
    )


def test_a_transfer_is_two_entries_that_sum_to_zero():
    book, transaction, grant_id = new_book(), new_transaction(), new_id()
    assert book.post(transaction, [Transfer(ISSUANCE, GRACE, 7)], grant_id) == EntryRange(0, 2)
    debit, credit = book.entries
    assert debit == (transaction.id, 0, ISSUANCE.id, POINTS, -7, grant_id, AT, None, None, None)
    assert credit[:9] == (transaction.id, 1, GRACE.id, POINTS, 7, grant_id, AT, 1, 7)
    assert book.available_minor(GRACE) == 7
    assert book.transactions == [transaction]
    assert list(book.touched) == [GRACE.id]


def test_transfers_apply_in_the_order_given():
    book = new_book(ada=0)
    book.post(new_transaction(), [Transfer(ISSUANCE, ADA, 5), Transfer(ADA, REDEMPTION, 5)])
    assert book.available_minor(ADA) == 0
    assert [entry.balance_after_minor for entry in book.entries] == [None, 5, 0, None]
    refused = new_book(ada=0)
    before = state_of(refused)
    with pytest.raises(BalanceTooLow):
        refused.post(new_transaction(), [Transfer(ADA, REDEMPTION, 5), Transfer(ISSUANCE, ADA, 5)])
    assert state_of(refused) == before


def test_the_last_unit_can_be_spent_and_not_one_more():
    book = new_book()
    book.post(new_transaction(), [Transfer(ADA, GRACE, 10)])
    before = state_of(book)
    with pytest.raises(BalanceTooLow) as raised:
        book.post(new_transaction(), [Transfer(ADA, GRACE, 1)])
    error = raised.value
    assert (error.account, error.required_minor, error.available_minor) == (ADA, 1, 0)
    assert error.message == "1 needed, 0 available (smallest units)."
    assert state_of(book) == before


def test_a_refused_posting_keeps_none_of_its_transfers():
    book = new_book()
    before = state_of(book)
    with pytest.raises(BalanceTooLow) as raised:
        book.post(
            new_transaction(),
            [Transfer(ISSUANCE, GRACE, 5), Transfer(ADA, GRACE, 8), Transfer(ADA, REDEMPTION, 3)],
        )
    assert (raised.value.required_minor, raised.value.available_minor) == (3, 2)
    assert state_of(book) == before


def test_a_balance_counts_up_to_its_bound_and_no_further():
    book = new_book(ada=BALANCE_MINOR_MAX - 5)
    book.post(new_transaction(), [Transfer(ISSUANCE, ADA, 5)])
    before = state_of(book)
    with pytest.raises(BalanceTooHigh) as raised:
        book.post(new_transaction(), [Transfer(ISSUANCE, ADA, 1)])
    assert raised.value.account == ADA
    assert state_of(book) == before


@pytest.mark.parametrize(
    "transfer",
    [Transfer(ISSUANCE, ADA, 0), Transfer(ISSUANCE, ADA, -1), Transfer(ISSUANCE, ADAS_GEMS, 1)],
    ids=["zero", "negative", "two assets"],
)
def test_what_is_no_transfer_is_a_broken_assumption(transfer: Transfer):
    book = new_book()
    before = state_of(book)
    with pytest.raises(ValueError, match="not a transfer of a positive amount within one asset"):
        book.post(new_transaction(), [transfer])
    assert state_of(book) == before


def test_an_account_that_was_not_locked_cannot_be_used():
    stranger = Account(POINTS, OwnerKind.MEMBER, new_id())
    with pytest.raises(KeyError):
        new_book().post(new_transaction(), [Transfer(ISSUANCE, stranger, 1)])


def test_postings_of_one_transaction_follow_each_other():
    book, shared, other = new_book(), new_transaction(), new_transaction()
    assert book.post(shared, [Transfer(ISSUANCE, ADA, 1), Transfer(ISSUANCE, GRACE, 1)]) == (0, 4)
    assert book.post(other, [Transfer(ISSUANCE, ADA, 1)]) == (0, 2)
    assert book.post(shared, [Transfer(ISSUANCE, ADA, 1)]) == (4, 6)
    assert book.post(shared, []) == (6, 6)
    assert book.transactions == [shared, other]


def test_a_transaction_without_entries_is_recorded():
    book, transaction = new_book(), new_transaction()
    assert book.post(transaction, []) == (0, 0)
    assert book.transactions == [transaction]
    assert book.entries == []
    assert book.touched == {}


def test_a_hold_takes_from_what_is_available_and_moves_nothing():
    book = new_book()
    hold = Hold(new_id(), ADA, 4, new_id(), AT + timedelta(hours=1))
    book.hold(hold)
    assert book.available_minor(ADA) == 6
    assert (book.touched[ADA.id].posted_minor, book.touched[ADA.id].held_minor) == (10, 4)
    assert book.placed_holds == [hold]
    assert book.entries == []
    before = state_of(book)
    with pytest.raises(BalanceTooLow) as raised:
        book.hold(Hold(new_id(), ADA, 7, new_id()))
    assert (raised.value.required_minor, raised.value.available_minor) == (7, 6)
    with pytest.raises(BalanceTooLow):
        book.post(new_transaction(), [Transfer(ADA, GRACE, 7)])
    assert state_of(book) == before


def test_a_released_hold_is_available_again():
    book = new_book()
    hold = Hold(new_id(), ADA, 10, new_id())
    book.hold(hold)
    book.release(hold)
    assert book.available_minor(ADA) == 10
    assert book.ended_holds == {hold.id: "RELEASED"}
    assert book.entries == []


def test_a_captured_hold_moves_exactly_its_amount():
    book, transaction, grant_id = new_book(), new_transaction(), new_id()
    hold = Hold(new_id(), ADA, 10, new_id())
    book.hold(hold)
    assert book.capture(hold, transaction, REDEMPTION, grant_id) == (0, 2)
    assert (book.touched[ADA.id].posted_minor, book.touched[ADA.id].held_minor) == (0, 0)
    assert book.ended_holds == {hold.id: "CAPTURED"}
    assert [(entry.account_id, entry.amount_minor, entry.grant_id) for entry in book.entries] == [
        (ADA.id, -10, grant_id),
        (REDEMPTION.id, 10, grant_id),
    ]


@pytest.mark.parametrize("first", ["release", "capture"])
@pytest.mark.parametrize("second", ["release", "capture"])
def test_a_hold_ends_once(first: str, second: str):
    book = new_book()
    hold = Hold(new_id(), ADA, 4, new_id())
    book.hold(hold)

    def end(how: str) -> None:
        if how == "release":
            book.release(hold)
        else:
            book.capture(hold, new_transaction(), REDEMPTION)

    end(first)
    before = state_of(book)
    with pytest.raises(HoldEnded):
        end(second)
    assert state_of(book) == before


def test_the_chain_links_each_accounts_entries():
    book, transaction = new_book(ada=0), new_transaction()
    grant_id = new_id()
    book.post(transaction, [Transfer(ISSUANCE, ADA, 5), Transfer(ADA, GRACE, 2)], grant_id)
    book.post(transaction, [Transfer(ISSUANCE, ADA, 1)])
    seconds = to_seconds(AT)
    first = next_hash(CHAIN_START, transaction.id, 1, ADA.id, POINTS, 5, grant_id, seconds, 1, 5)
    second = next_hash(first, transaction.id, 2, ADA.id, POINTS, -2, grant_id, seconds, 2, 3)
    third = next_hash(second, transaction.id, 5, ADA.id, POINTS, 1, None, seconds, 3, 4)
    of_ada = [entry.chain_hash for entry in book.entries if entry.account_id == ADA.id]
    assert of_ada == [first, second, third]
    assert (book.touched[ADA.id].entry_count, book.touched[ADA.id].chain_hash) == (3, third)


def test_every_column_is_in_the_hash():
    columns = {
        "previous": CHAIN_START,
        "transaction_id": UUID(int=1),
        "index": 2,
        "account_id": UUID(int=3),
        "asset_id": UUID(int=4),
        "amount_minor": 5,
        "grant_id": None,
        "occurred_at_seconds": to_seconds(AT),
        "sequence": 6,
        "balance_after_minor": 7,
    }
    changes = {
        "previous": bytes([1]) + CHAIN_START[1:],
        "transaction_id": UUID(int=9),
        "index": 9,
        "account_id": UUID(int=9),
        "asset_id": UUID(int=9),
        "amount_minor": -5,
        "grant_id": UUID(int=9),
        "occurred_at_seconds": to_seconds(AT + timedelta(microseconds=1)),
        "sequence": 9,
        "balance_after_minor": 9,
    }
    original = next_hash(**columns)  # type: ignore[arg-type]
    hashes = {next_hash(**columns | {name: changed}) for name, changed in changes.items()}  # type: ignore[arg-type]
    assert len(original) == 32
    assert len(hashes - {original}) == len(columns)


def test_accounts_are_named_by_asset_kind_and_owner():
    assert Account(POINTS, OwnerKind.MEMBER, ADA.owner_id) == ADA
    assert Account(POINTS, OwnerKind.MEMBER, ADA.owner_id).id == ADA.id
    assert {ADA: 1}[Account(POINTS, OwnerKind.MEMBER, ADA.owner_id)] == 1
    others = {
        Account(GEMS, OwnerKind.MEMBER, ADA.owner_id),
        Account(POINTS, OwnerKind.CLAIMABLE, ADA.owner_id),
        Account(POINTS, OwnerKind.MEMBER, UUID(int=99)),
    }
    assert len({account.id for account in others | {ADA}}) == 4
    assert ADA not in others
    assert ADA.id != ADA


def test_only_issuance_redemption_and_expiry_have_no_bound():
    bounded = {kind for kind in OwnerKind if Account(POINTS, kind, ORGANIZATION).is_bounded}
    assert set(OwnerKind) - bounded == {OwnerKind.ISSUANCE, OwnerKind.REDEMPTION, OwnerKind.EXPIRED}
    transfers = [
        Transfer(ISSUANCE, ADA, 1),
        Transfer(ADA, GRACE, 1),
        Transfer(GRACE, REDEMPTION, 1),
    ]
    assert bounded_accounts(transfers) == {ADA, GRACE}


def test_a_reversed_transfer_goes_back():
    transfer = Transfer(ISSUANCE, ADA, 3)
    assert transfer.reversed() == Transfer(ADA, ISSUANCE, 3)
    book = new_book()
    book.post(new_transaction(), [transfer, transfer.reversed()])
    assert book.available_minor(ADA) == 10
