"""Times are found among an account's entries by halving: what is found is what reading all of them finds, whatever is asked."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from gateway.ids import new_id
from gateway.ledger.balance_store import fetch_balances
from gateway.ledger.model import Account, OwnerKind, Transaction, TransactionKind, Transfer
from gateway.ledger.statement import ALWAYS, EntryPlace, Period, StatementEntry
from gateway.ledger.statement_store import count_entries, fetch_entries_pages
from gateway.ledger.store import lock_balances, record
from gateway.storage.database import Database
from gateway.storage.pages import Page, PageRequest
from tests.ledger_history import at, write_history
from tests.wallets import Wallets, open_wallets

pytestmark = pytest.mark.requirement("ALL-3")
SECONDS = 12


@dataclass(slots=True)
class History:
    """A member's entries of all assets, newest first, as a plain reading lists them."""

    wallets: Wallets
    member_id: UUID
    entries: list[StatementEntry]

    def listed(self, asset_id: UUID | None, period: Period = ALWAYS) -> list[StatementEntry]:
        after, before = period
        return [
            entry
            for entry in self.entries
            if asset_id in (None, entry.asset_id)
            and (after is None or entry.occurred_at >= after)
            and (before is None or entry.occurred_at < before)
        ]

    def page(
        self, asset_id: UUID | None, request: PageRequest[EntryPlace], period: Period
    ) -> Page[StatementEntry]:
        after, before = request.after, request.before
        inside = [
            entry
            for entry in self.listed(asset_id, period)
            if (after is None or entry.place < after) and (before is None or entry.place > before)
        ]
        has_more = len(inside) > request.limit
        if request.backwards:
            return Page(inside[-request.limit :], has_more or after is not None, before is not None)
        return Page(inside[: request.limit], after is not None, has_more or before is not None)


async def make_history(wallets: Wallets, rng: random.Random, longest: int) -> History:
    """Give a new member up to three accounts of up to so many entries, many of them of equal times."""
    (member_id,) = await wallets.add_members()
    assets = wallets.caller.standard_assets
    entries: list[StatementEntry] = []
    for asset_id in (assets.points_id, assets.experience_id, assets.cash_id):
        count = rng.choice((0, 1, 2, rng.randint(3, longest)))
        seconds = sorted(rng.randint(1, SECONDS) for _ in range(count))
        amounts = [rng.randint(1, 99) for _ in seconds]
        account = Account(asset_id, OwnerKind.MEMBER, member_id)
        tenant_id = wallets.caller.tenant_id
        entries += await write_history(wallets.database, tenant_id, account, seconds, amounts)
    return History(wallets, member_id, sorted(entries, key=lambda entry: entry.place, reverse=True))


def moments() -> Iterator[float]:
    """Yield every second that entries may have, and times between them, before and after."""
    for second in range(SECONDS + 2):
        yield from (second, second + 0.5)


@pytest.mark.parametrize("seed", range(4))
async def test_past_balances_are_those_of_a_plain_reading(database: Database, seed: int) -> None:
    wallets = await open_wallets(database)
    rng = random.Random(seed)
    histories = [await make_history(wallets, rng, 40) for _ in range(5)]
    members = [history.member_id for history in histories]
    async with database.connection() as connection:
        for moment in moments():
            found = await fetch_balances(
                connection, wallets.caller.tenant_id, members, as_of=at(moment)
            )
            for history in histories:
                newest: dict[UUID, tuple[Any, ...]] = {}
                for entry in history.entries:
                    if entry.occurred_at <= at(moment):
                        known = (entry.balance_after_minor, 0, entry.occurred_at)
                        newest.setdefault(entry.asset_id, known)
                assert {
                    balance.asset_id: tuple(balance)[1:] for balance in found[history.member_id]
                } == newest


@pytest.mark.parametrize("seed", range(4))
async def test_counts_of_periods_are_those_of_a_plain_reading(
    database: Database, seed: int
) -> None:
    wallets = await open_wallets(database)
    rng = random.Random(seed)
    histories = [await make_history(wallets, rng, 40) for _ in range(5)]
    members = [history.member_id for history in histories]
    asset_ids = (None, wallets.caller.standard_assets.points_id)
    async with database.connection() as connection:
        for _ in range(60):
            period, asset_id = draw_period(rng), rng.choice(asset_ids)
            scope = (connection, wallets.caller.tenant_id, members, asset_id)
            assert await count_entries(*scope, period) == {
                history.member_id: len(history.listed(asset_id, period)) for history in histories
            }


@pytest.mark.parametrize("seed", range(8))
async def test_pages_are_those_of_a_plain_reading(database: Database, seed: int) -> None:
    """Whichever cursors and period, in both directions, of one asset and of all."""
    wallets = await open_wallets(database)
    rng = random.Random(seed)
    histories = [await make_history(wallets, rng, 30) for _ in range(3)]
    asset_ids = (None, wallets.caller.standard_assets.points_id)
    async with database.connection() as connection:
        for _ in range(80):
            period, asset_id = rng.choice((ALWAYS, draw_period(rng))), rng.choice(asset_ids)
            of = rng.choice(histories)
            places = [None, *(entry.place for entry in of.listed(asset_id))]
            after, before = rng.choice(places), rng.choice(places)
            request = PageRequest(rng.choice((1, 3, 10, 100)), after, before, rng.random() < 0.5)
            # Within one asset a cursor counts a member's entries: to others' it says nothing.
            asked = histories if asset_id is None else [of]
            members = [history.member_id for history in asked]
            scope = (connection, wallets.caller.tenant_id, members, asset_id)
            assert await fetch_entries_pages(*scope, request, period) == {
                history.member_id: history.page(asset_id, request, period) for history in asked
            }


def draw_period(rng: random.Random) -> Period:
    """Return a period that may be open on either side, or empty."""
    times = [None, *map(at, moments())]
    return Period(rng.choice(times), rng.choice(times))


@pytest.mark.parametrize("of_one_asset", [False, True])
async def test_pages_meet_while_entries_are_posted(database: Database, of_one_asset: bool) -> None:
    """Who turns the pages of a statement sees every entry once that was there when they began."""
    wallets = await open_wallets(database)
    (member_id,) = await wallets.add_members()
    tenant_id, points_id = wallets.caller.tenant_id, wallets.caller.standard_assets.points_id
    owner = Account(points_id, OwnerKind.MEMBER, member_id)
    await write_history(database, tenant_id, owner, [n // 3 for n in range(60)], [1] * 60)
    posting = asyncio.create_task(_post(database, wallets, owner, 40))
    seen: list[int] = []
    cursor: EntryPlace | None = None
    while True:
        async with database.connection() as connection:
            scope = (connection, tenant_id, [member_id], points_id if of_one_asset else None)
            page = (await fetch_entries_pages(*scope, PageRequest(3, cursor)))[member_id]
            past = await fetch_balances(connection, tenant_id, [member_id], as_of=at(10))
            counts = await count_entries(*scope, Period(at(5), at(10)))
        assert [balance.posted_minor for balance in past[member_id]] == [33]
        assert counts == {member_id: 15}
        seen += [entry.sequence for entry in page.items]
        if not page.has_next:
            break
        cursor = page.items[-1].place
    await posting
    assert seen == list(range(seen[0], 0, -1))
    assert seen[0] >= 60


async def _post(database: Database, wallets: Wallets, owner: Account, count: int) -> None:
    """Append entries, each in a database transaction of its own."""
    issuance = Account(owner.asset_id, OwnerKind.ISSUANCE, wallets.caller.organization_id)
    for second in range(count):
        when = at(1_000_000 + second)
        async with database.transaction() as connection:
            book = await lock_balances(connection, wallets.caller.tenant_id, [owner], when)
            transaction = Transaction(new_id(), TransactionKind.GRANT, new_id(), when, {})
            book.post(transaction, [Transfer(issuance, owner, 1)])
            await record(connection, wallets.caller.tenant_id, book, when)
