"""Balances and statements as of a past time are exactly what the entries up to it add up to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from gateway.ids import new_id
from gateway.ledger.balance import Hold
from gateway.ledger.balance_store import fetch_balances
from gateway.ledger.model import Account, OwnerKind, Transaction, TransactionKind, Transfer
from gateway.ledger.statement import Period
from gateway.ledger.statement_store import count_entries, fetch_entries_pages
from gateway.ledger.store import lock_balances, record
from gateway.storage.pages import PageRequest
from gateway.verifying.chain_store import find_broken_chains
from tests.catalog import Shop
from tests.use_cases import add_member, points_of

START = datetime(2030, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.requirement("ALL-3")


def at(second: int) -> datetime:
    return START + timedelta(seconds=second)


async def give(shop: Shop, members: Sequence[UUID], when: datetime) -> None:
    """Move a point to each of the members, in one batch."""
    points = points_of(shop)
    owners = [Account(points, OwnerKind.MEMBER, member) for member in members]
    issuance = Account(points, OwnerKind.ISSUANCE, shop.caller.organization_id)
    async with shop.database.transaction() as connection:
        book = await lock_balances(connection, shop.caller.tenant_id, owners, when)
        transaction = Transaction(new_id(), TransactionKind.GRANT, new_id(), when, {})
        book.post(transaction, [Transfer(issuance, owner, 1) for owner in owners])
        await record(connection, shop.caller.tenant_id, book, when)


async def post(shop: Shop, member: UUID, amount: int, when: datetime, *, hold: int = 0) -> UUID:
    """Move points to (or from, below zero) the member, and hold some; return the hold's id."""
    points = points_of(shop)
    owner = Account(points, OwnerKind.MEMBER, member)
    issuance = Account(points, OwnerKind.ISSUANCE, shop.caller.organization_id)
    moved = Transfer(issuance, owner, amount) if amount > 0 else Transfer(owner, issuance, -amount)
    hold_id = new_id()
    async with shop.database.transaction() as connection:
        book = await lock_balances(connection, shop.caller.tenant_id, [owner], when)
        if amount:
            transaction = Transaction(new_id(), TransactionKind.GRANT, new_id(), when, {})
            book.post(transaction, [moved])
        if hold:
            book.hold(Hold(hold_id, owner, hold, new_id()))
        await record(connection, shop.caller.tenant_id, book, when)
    return hold_id


async def past(shop: Shop, member: UUID, second: int) -> tuple[int, int] | None:
    """Return what was posted and held at a second, None before the first entry."""
    async with shop.database.connection() as connection:
        found = await fetch_balances(connection, shop.caller.tenant_id, [member], as_of=at(second))
    for balance in found[member]:
        return balance.posted_minor, balance.held_minor
    return None


async def entries(shop: Shop, member: UUID, period: Period, asset: UUID | None) -> Sequence[int]:
    async with shop.database.connection() as connection:
        scope = (connection, shop.caller.tenant_id, [member], asset)
        pages = await fetch_entries_pages(*scope, PageRequest(100), period)
        counts = await count_entries(*scope, period)
    listed = [entry.amount_minor for entry in pages[member].items]
    assert counts[member] == len(listed)
    return listed


async def test_balance_is_that_of_the_last_entry_up_to_the_time(shop: Shop) -> None:
    member = await add_member(shop)
    for second, amount in ((10, 5), (20, 7), (20, -2), (30, 1)):
        await post(shop, member, amount, at(second))
    seconds = (9, 10, 19, 20, 29, 30, 99)
    assert [await past(shop, member, second) for second in seconds] == [
        None,
        (5, 0),
        (5, 0),
        (10, 0),
        (10, 0),
        (11, 0),
        (11, 0),
    ]


async def test_hold_counts_from_its_beginning_to_its_end(shop: Shop) -> None:
    member = await add_member(shop)
    await post(shop, member, 50, at(10))
    hold_id = await post(shop, member, 0, at(20), hold=30)
    owner = Account(points_of(shop), OwnerKind.MEMBER, member)
    async with shop.database.transaction() as connection:
        book = await lock_balances(connection, shop.caller.tenant_id, [owner], at(30))
        book.release(Hold(hold_id, owner, 30, new_id()))
        await record(connection, shop.caller.tenant_id, book, at(30))
    assert [await past(shop, member, second) for second in (19, 20, 29, 30)] == [
        (50, 0),
        (50, 30),
        (50, 30),
        (50, 0),
    ]


async def test_entry_of_a_database_transaction_that_began_earlier_is_dated_after_its_predecessor(
    shop: Shop,
) -> None:
    """Whatever the order of posting, a past balance never has a later entry in it and an earlier one not."""
    member = await add_member(shop)
    await post(shop, member, 5, at(30))
    await post(shop, member, 7, at(10))
    assert [await past(shop, member, second) for second in (29, 30)] == [None, (12, 0)]
    rows = await shop.database.fetch(
        "SELECT occurred_at FROM ledger_entries WHERE sequence IS NOT NULL ORDER BY sequence"
    )
    assert [row["occurred_at"] for row in rows] == [at(30), at(30)]


async def test_times_follow_sequences_whatever_the_clocks_and_races(shop: Shop) -> None:
    member = await add_member(shop)
    seconds = [7, 3, 9, 1, 9, 2, 8, 4]
    await asyncio.gather(*(post(shop, member, 1, at(second)) for second in seconds))
    rows = await shop.database.fetch(
        "SELECT occurred_at FROM ledger_entries WHERE sequence IS NOT NULL ORDER BY sequence"
    )
    times = [row["occurred_at"] for row in rows]
    assert times == sorted(times)
    assert await past(shop, member, 9) == (8, 0)


async def test_entry_follows_one_that_was_dated_by_another_account(shop: Shop) -> None:
    """A batch's entries take the date of its newest account, and so does what follows them on its other accounts."""
    ada, grace = await add_member(shop), await add_member(shop)
    await give(shop, [ada], at(100))
    await give(shop, [ada, grace], at(60))
    await give(shop, [grace], at(70))
    assert [await past(shop, grace, second) for second in (99, 100)] == [None, (2, 0)]
    async with shop.database.connection() as connection, connection.transaction():
        assert await find_broken_chains(connection, shop.caller.tenant_id, 1) == []


@pytest.mark.parametrize("one_asset", [False, True])
async def test_statement_of_a_period_has_its_first_moment_and_not_its_last(
    shop: Shop, one_asset: bool
) -> None:
    member = await add_member(shop)
    for second, amount in ((10, 1), (20, 2), (20, 3), (30, 4)):
        await post(shop, member, amount, at(second))
    asset = points_of(shop) if one_asset else None

    async def listed(after: int | None, before: int | None) -> Sequence[int]:
        bounds = (None if second is None else at(second) for second in (after, before))
        return await entries(shop, member, Period(*bounds), asset)

    assert await listed(None, None) == [4, 3, 2, 1]
    assert await listed(20, None) == [4, 3, 2]
    assert await listed(None, 20) == [1]
    assert await listed(10, 30) == [3, 2, 1]
    assert await listed(21, 30) == []
    assert await listed(30, 10) == []


async def test_pages_of_a_period_go_on_from_each_other(shop: Shop) -> None:
    member = await add_member(shop)
    for second in range(10, 20):
        await post(shop, member, second, at(second))
    period = Period(at(12), at(18))
    async with shop.database.connection() as connection:
        scope = (connection, shop.caller.tenant_id, [member], points_of(shop))
        first = (await fetch_entries_pages(*scope, PageRequest(4), period))[member]
        rest = PageRequest(4, after=first.items[-1].place)
        following = (await fetch_entries_pages(*scope, rest, period))[member]
        last = (await fetch_entries_pages(*scope, PageRequest(2, backwards=True), period))[member]
    assert [entry.amount_minor for entry in first.items] == [17, 16, 15, 14]
    assert (first.has_previous, first.has_next) == (False, True)
    assert [entry.amount_minor for entry in following.items] == [13, 12]
    assert (following.has_previous, following.has_next) == (True, False)
    assert [entry.amount_minor for entry in last.items] == [13, 12]
