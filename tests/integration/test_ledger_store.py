"""Balances locked and books recorded on PostgreSQL: round trips, waiting, races, and what nobody may rewrite."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import asyncpg
import pytest

from gateway.ids import new_id
from gateway.ledger import store as ledger_store
from gateway.ledger.balance import Hold, bounded_accounts
from gateway.ledger.book import Book
from gateway.ledger.entries_store import EntrySpan, fetch_transfers
from gateway.ledger.model import (
    CHAIN_START,
    Account,
    BalanceTooLow,
    HoldEnded,
    OwnerKind,
    Transaction,
    TransactionKind,
    Transfer,
)
from gateway.ledger.store import lock_balances, record
from gateway.storage.database import Connection, Database
from gateway.storage.privileges import APPLICATION_ROLE, OPERATOR_ROLE
from gateway.verifying.chain_store import find_broken_chains
from gateway.verifying.ledger_store import LEDGER_CHECKS
from tests.catalog import Shop, open_shop
from tests.waiting import wait_until_backends_wait

AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ledger:
    """A tenant's points, and the accounts to move them between."""

    shop: Shop
    issuance: Account
    ada: Account
    grace: Account

    @property
    def tenant_id(self) -> UUID:
        return self.shop.caller.tenant_id

    def new_transaction(self) -> Transaction:
        return Transaction(new_id(), TransactionKind.GRANT, new_id(), AT, {"why": "test"})

    async def post(self, *transfers: Transfer) -> Transaction:
        """Post transfers as one transaction, in a database transaction of their own."""
        transaction = self.new_transaction()

        async def work(connection: Connection) -> None:
            book = await self.lock(connection, *bounded_accounts(transfers))
            book.post(transaction, transfers)
            await record(connection, self.tenant_id, book, AT)

        await self.shop.database.run_transaction(work)
        return transaction

    async def lock(self, connection: Connection, *accounts: Account) -> Book:
        return await lock_balances(connection, self.tenant_id, accounts, AT)

    async def balances(self) -> dict[UUID, tuple[int, int, int]]:
        """Return posted, held and the number of entries of each account that exists."""
        rows = await self.shop.database.fetch(
            "SELECT id, posted_minor, held_minor, entry_count FROM accounts ORDER BY id"
        )
        return {row["id"]: tuple(row)[1:] for row in rows}

    async def assert_sound(self) -> None:
        async with self.shop.database.transaction() as connection:
            for check in LEDGER_CHECKS:
                assert await check.find(connection, self.tenant_id, 1) == [], check.name
            assert await find_broken_chains(connection, self.tenant_id, 1) == []


@pytest.fixture
async def ledger(database: Database) -> Ledger:
    shop = await open_shop(database)
    points_id = shop.caller.standard_assets.points_id
    issuance = Account(points_id, OwnerKind.ISSUANCE, shop.caller.organization_id)
    ada, grace = (Account(points_id, OwnerKind.MEMBER, new_id()) for _ in range(2))
    return Ledger(shop, issuance, ada, grace)


@pytest.mark.requirement("ALL-6")
async def test_what_is_recorded_is_what_the_book_says(ledger: Ledger):
    transaction = await ledger.post(
        Transfer(ledger.issuance, ledger.ada, 10), Transfer(ledger.ada, ledger.grace, 4)
    )
    assert await ledger.balances() == {ledger.ada.id: (6, 0, 2), ledger.grace.id: (4, 0, 1)}
    whole = EntrySpan(transaction.id, ledger.issuance.owner_id)
    async with ledger.shop.database.connection() as connection:
        found = await fetch_transfers(
            connection, ledger.tenant_id, [whole, whole._replace(start=2, stop=4)]
        )
    posted = [
        Transfer(ledger.issuance, ledger.ada, 10),
        Transfer(ledger.ada, ledger.grace, 4),
    ]
    assert found == [posted, posted[1:]]
    (event,) = await ledger.shop.database.fetch("SELECT * FROM outbox_events")
    assert (event["transaction_id"], event["kind"], event["payload"]) == (
        transaction.id,
        "GRANT",
        {"why": "test"},
    )
    await ledger.assert_sound()


@pytest.mark.parametrize("copied_entries_min", [1, 1_000], ids=["copied", "inserted"])
async def test_entries_are_written_as_the_book_has_them(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch, copied_entries_min: int
):
    monkeypatch.setattr(ledger_store, "COPIED_ENTRIES_MIN", copied_entries_min)
    transaction, grant_id = ledger.new_transaction(), new_id()
    async with ledger.shop.database.transaction() as connection:
        book = await ledger.lock(connection, ledger.ada, ledger.grace)
        book.post(transaction, [Transfer(ledger.issuance, ledger.ada, 10)], grant_id)
        book.post(transaction, [Transfer(ledger.ada, ledger.grace, 4)])
        await record(connection, ledger.tenant_id, book, AT)
    rows = await ledger.shop.database.fetch("SELECT * FROM ledger_entries ORDER BY index")
    assert [tuple(row) for row in rows] == [(ledger.tenant_id, *entry) for entry in book.entries]
    assert [row["grant_id"] for row in rows] == [grant_id, grant_id, None, None]
    await ledger.assert_sound()


async def test_accounts_that_several_make_at_once_are_made_once(ledger: Ledger):
    """Nobody who finds an account missing holds a lock on another, so that no two wait for each other."""
    members = [Account(ledger.ada.asset_id, OwnerKind.MEMBER, new_id()) for _ in range(12)]
    await ledger.post(*(Transfer(ledger.issuance, member, 1) for member in members[::3]))
    batches = [random.Random(seed).sample(members, 9) for seed in range(40)]
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = await ledger.shop.database.fetch(deadlocks)
    await asyncio.gather(
        *(
            ledger.post(*(Transfer(ledger.issuance, member, 1) for member in batch))
            for batch in batches
        )
    )
    balances = await ledger.balances()
    for place, member in enumerate(members):
        posted = sum(member in batch for batch in batches) + (place % 3 == 0)
        assert balances[member.id] == (posted, 0, posted)
    assert await ledger.shop.database.fetch(deadlocks) == before
    await ledger.assert_sound()


async def test_a_refused_posting_writes_nothing(ledger: Ledger):
    await ledger.post(Transfer(ledger.issuance, ledger.ada, 10))
    before = await ledger.shop.count_rows()
    with pytest.raises(BalanceTooLow):
        await ledger.post(Transfer(ledger.ada, ledger.grace, 11))
    assert await ledger.shop.count_rows() == before
    assert await ledger.balances() == {ledger.ada.id: (10, 0, 1)}


async def test_accounts_that_are_unbounded_or_none_are_not_locked(ledger: Ledger):
    statements: list[str] = []
    async with ledger.shop.database.transaction() as connection:
        connection.add_query_logger(lambda record: statements.append(record.query))
        book = await ledger.lock(connection, ledger.issuance)
        await asyncio.sleep(0)
        assert statements == []
        with pytest.raises(KeyError):
            book.available_minor(ledger.issuance)


@pytest.mark.requirement("ALL-2")
@pytest.mark.parametrize("transfer_count", [1, 499])
async def test_round_trips_do_not_grow_with_the_transfers(ledger: Ledger, transfer_count: int):
    members = [
        Account(ledger.ada.asset_id, OwnerKind.MEMBER, new_id()) for _ in range(transfer_count)
    ]
    transfers = [Transfer(ledger.issuance, member, 1) for member in members]
    statements: list[str] = []
    for _ in range(2):
        statements.clear()
        async with ledger.shop.database.transaction() as connection:
            with connection.query_logger(lambda record: statements.append(record.query)):
                book = await ledger.lock(connection, *bounded_accounts(transfers))
                book.post(ledger.new_transaction(), transfers)
                await record(connection, ledger.tenant_id, book, AT)
                await connection.send_written()
                await asyncio.sleep(0)
        # Lock, whether or not it makes them; record.
        assert len(statements) == 2
    assert len(await ledger.balances()) == transfer_count
    await ledger.assert_sound()


@pytest.mark.parametrize("exists", [True, False], ids=["old account", "new account"])
async def test_a_locked_account_makes_others_wait(
    ledger: Ledger, owner: asyncpg.Connection[asyncpg.Record], exists: bool
):
    """A new account too: its zero row is there for others to wait on before anything is posted."""
    if exists:
        await ledger.post(Transfer(ledger.issuance, ledger.ada, 1))
    async with ledger.shop.database.transaction() as connection:
        book = await ledger.lock(connection, ledger.ada)
        second = asyncio.create_task(ledger.post(Transfer(ledger.issuance, ledger.ada, 5)))
        await wait_until_backends_wait(owner)
        assert not second.done()
        book.post(ledger.new_transaction(), [Transfer(ledger.issuance, ledger.ada, 2)])
        await record(connection, ledger.tenant_id, book, AT)
    await second
    assert await ledger.balances() == {ledger.ada.id: (7 + exists, 0, 2 + exists)}
    await ledger.assert_sound()


@pytest.mark.parametrize("kind", [OwnerKind.MEMBER, OwnerKind.BUDGET])
async def test_accounts_are_locked_in_the_order_of_their_ids_and_budgets_last(
    ledger: Ledger, owner: asyncpg.Connection[asyncpg.Record], kind: OwnerKind
):
    """Whoever waits for the first account does not hold the last one yet, though it was named first."""
    is_budget = kind is OwnerKind.BUDGET
    first = last = ledger.ada
    while (last.id < first.id) != is_budget or last is first:
        last = Account(first.asset_id, kind, new_id())
    await ledger.post(Transfer(ledger.issuance, first, 1), Transfer(ledger.issuance, last, 1))
    async with ledger.shop.database.transaction() as connection:
        await ledger.lock(connection, first)
        both = ledger.post(Transfer(ledger.issuance, last, 1), Transfer(ledger.issuance, first, 1))
        waiting = asyncio.create_task(both)
        await wait_until_backends_wait(owner)
        async with ledger.shop.database.transaction(lock_timeout_seconds=0.1) as other:
            await ledger.lock(other, last)
    await waiting
    assert await ledger.balances() == {first.id: (2, 0, 2), last.id: (2, 0, 2)}


async def test_a_lock_that_is_undone_leaves_no_account(ledger: Ledger):
    async def lock_and_fail(connection: Connection) -> None:
        await ledger.lock(connection, ledger.ada)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await ledger.shop.database.run_transaction(lock_and_fail)
    assert await ledger.balances() == {}


async def test_transfers_in_both_directions_at_once_neither_deadlock_nor_lose(ledger: Ledger):
    await ledger.post(
        Transfer(ledger.issuance, ledger.ada, 100), Transfer(ledger.issuance, ledger.grace, 100)
    )
    to_grace = [ledger.post(Transfer(ledger.ada, ledger.grace, 3)) for _ in range(20)]
    to_ada = [ledger.post(Transfer(ledger.grace, ledger.ada, 1)) for _ in range(20)]
    await asyncio.gather(*to_grace, *to_ada)
    assert await ledger.balances() == {
        ledger.ada.id: (60, 0, 41),
        ledger.grace.id: (140, 0, 41),
    }
    await ledger.assert_sound()


async def test_balances_are_the_tenants_own(ledger: Ledger):
    """Another tenant's account of the same id is another account."""
    neighbor = await open_shop(ledger.shop.database)
    await ledger.post(Transfer(ledger.issuance, ledger.ada, 10))
    # Its asset is unknown there, which only a foreign key notices, at the end of the statement.
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with ledger.shop.database.transaction() as connection:
            await lock_balances(connection, neighbor.caller.tenant_id, [ledger.ada], AT)
    assert await ledger.balances() == {ledger.ada.id: (10, 0, 1)}


async def test_a_hold_is_placed_and_captured(ledger: Ledger):
    await ledger.post(Transfer(ledger.issuance, ledger.ada, 10))
    hold = Hold(new_id(), ledger.ada, 4, new_id(), AT)
    await place(ledger, hold)
    assert await ledger.balances() == {ledger.ada.id: (10, 4, 1)}
    await ledger.assert_sound()
    redemption = Account(ledger.ada.asset_id, OwnerKind.REDEMPTION, ledger.issuance.owner_id)
    async with ledger.shop.database.transaction() as connection:
        book = await ledger.lock(connection, ledger.ada)
        assert book.available_minor(ledger.ada) == 6
        book.capture(hold, ledger.new_transaction(), redemption)
        await record(connection, ledger.tenant_id, book, AT)
    assert await ledger.balances() == {ledger.ada.id: (6, 0, 2)}
    (stored,) = await ledger.shop.database.fetch("SELECT * FROM holds")
    assert (stored["id"], stored["status"], stored["amount_minor"]) == (hold.id, "CAPTURED", 4)
    assert (stored["created_at"], stored["ended_at"], stored["expires_at"]) == (AT, AT, AT)
    await ledger.assert_sound()


async def test_a_hold_ends_once_though_many_end_it_at_once(ledger: Ledger):
    await ledger.post(Transfer(ledger.issuance, ledger.ada, 10))
    hold = Hold(new_id(), ledger.ada, 4, new_id())
    await place(ledger, hold)
    redemption = Account(ledger.ada.asset_id, OwnerKind.REDEMPTION, ledger.issuance.owner_id)

    async def end(captures: bool) -> None:
        async with ledger.shop.database.transaction() as connection:
            book = await ledger.lock(connection, ledger.ada)
            if captures:
                book.capture(hold, ledger.new_transaction(), redemption)
            else:
                book.release(hold)
            await record(connection, ledger.tenant_id, book, AT)

    ends = await asyncio.gather(*(end(n % 2 == 0) for n in range(8)), return_exceptions=True)
    assert [type(result) for result in ends].count(HoldEnded) == 7
    posted, held, _ = (await ledger.balances())[ledger.ada.id]
    (stored,) = await ledger.shop.database.fetch("SELECT status FROM holds")
    assert (posted, held) == ((6, 0) if stored["status"] == "CAPTURED" else (10, 0))
    await ledger.assert_sound()


async def test_a_hold_is_placed_and_ended_in_one_go(ledger: Ledger):
    await ledger.post(Transfer(ledger.issuance, ledger.ada, 10))
    captured, released = (Hold(new_id(), ledger.ada, amount, new_id()) for amount in (4, 5))
    redemption = Account(ledger.ada.asset_id, OwnerKind.REDEMPTION, ledger.issuance.owner_id)
    async with ledger.shop.database.transaction() as connection:
        book = await ledger.lock(connection, ledger.ada)
        book.hold(captured)
        book.hold(released)
        book.capture(captured, ledger.new_transaction(), redemption)
        book.release(released)
        await record(connection, ledger.tenant_id, book, AT)
    assert await ledger.balances() == {ledger.ada.id: (6, 0, 2)}
    stored = await ledger.shop.database.fetch("SELECT id, status FROM holds")
    assert {tuple(row) for row in stored} == {(captured.id, "CAPTURED"), (released.id, "RELEASED")}
    await ledger.assert_sound()


async def place(ledger: Ledger, hold: Hold) -> None:
    async with ledger.shop.database.transaction() as connection:
        book = await ledger.lock(connection, hold.account)
        book.hold(hold)
        await record(connection, ledger.tenant_id, book, AT)


@pytest.mark.requirement("ALL-6")
@pytest.mark.parametrize("table", ["ledger_entries", "ledger_transactions", "outbox_events"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE <table> SET tenant_id = tenant_id",
        "DELETE FROM <table>",
        "TRUNCATE <table>",
        "ALTER TABLE <table> DISABLE TRIGGER ALL",
        "DROP TABLE <table>",
    ],
)
async def test_what_is_recorded_cannot_be_rewritten(ledger: Ledger, table: str, statement: str):
    await ledger.post(Transfer(ledger.issuance, ledger.ada, 10))
    before = await ledger.shop.count_rows()
    async with ledger.shop.database.connection() as connection:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(statement.replace("<table>", table))
    assert await ledger.shop.count_rows() == before


@pytest.mark.requirement("ALL-6")
@pytest.mark.parametrize("role", ["postgres", OPERATOR_ROLE])
async def test_process_that_serves_cannot_become_another_role(database_url: str, role: str):
    serving = await Database.open(database_url, pool_size_max=1)
    try:
        async with serving.connection() as connection:
            assert await connection.fetchval("SELECT current_user") == APPLICATION_ROLE
            for statement in (f"SET ROLE {role}", "SET session_replication_role = replica"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)
            await connection.execute("RESET ROLE")
            assert await connection.fetchval("SELECT current_user") == APPLICATION_ROLE
    finally:
        await serving.close()


@pytest.mark.requirement("ALL-6")
async def test_no_statement_overdraws_an_account(ledger: Ledger):
    """The last line of defence, below the book."""
    await ledger.post(Transfer(ledger.issuance, ledger.ada, 10))
    async with ledger.shop.database.connection() as connection:
        for column in ("posted_minor = -1", "held_minor = 11", "held_minor = -1"):
            with pytest.raises(asyncpg.CheckViolationError):
                await connection.execute(f"UPDATE accounts SET {column}")  # noqa: S608 - ours
    assert await ledger.balances() == {ledger.ada.id: (10, 0, 1)}


async def test_a_new_account_starts_its_chain_at_zero(ledger: Ledger):
    async with ledger.shop.database.transaction() as connection:
        await ledger.lock(connection, ledger.ada)
        row = await connection.fetchrow("SELECT chain_hash, entry_count FROM accounts")
    assert row is not None
    assert tuple(row) == (CHAIN_START, 0)
