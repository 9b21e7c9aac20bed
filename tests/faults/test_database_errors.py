"""What each error of the database means for the work that met it, what callers see, and what the log says, once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from gateway.counters import read_counts
from gateway.errors import Overloaded
from gateway.storage import database_errors, kept_connections
from gateway.storage.connection import Connection
from gateway.storage.database import Database
from gateway.storage.embedded import application_url
from gateway.storage.kept_connections import BUSY
from gateway.storage.lending import AWAY, OUT_OF_ORDER
from tests.faults.test_servers import read_only

RAISE = "DO $$ BEGIN RAISE 'no space for %' , 'you' USING ERRCODE = '{}', DETAIL = 'secret'; END $$"
SEEN = {
    "53100": BUSY,
    "53200": BUSY,
    "53300": BUSY,
    "53400": BUSY,
    "55P03": BUSY,
    "57014": BUSY,
    "40001": AWAY,
    "40P01": AWAY,
    "57P01": AWAY,
    "57P03": AWAY,
    "25P03": AWAY,
    "08006": AWAY,
    "25006": AWAY,
    "42501": OUT_OF_ORDER,
    "42P01": OUT_OF_ORDER,
    "42703": OUT_OF_ORDER,
    "58030": OUT_OF_ORDER,
    "58P01": OUT_OF_ORDER,
    "XX001": OUT_OF_ORDER,
    "XX002": OUT_OF_ORDER,
}
FAULTS = ["XX000", "22012", "23505", "P0001"]


@pytest.fixture(autouse=True)
def errors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Begin with a log in which nothing was left out."""
    log = database_errors.ErrorLog()
    for module in ("lending", "kept_connections"):
        monkeypatch.setattr(f"gateway.storage.{module}.ERRORS", log)
    monkeypatch.setattr("gateway.storage.database.RETRY_DELAY_SECONDS", 0.0001)


def facts_of(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [line.__dict__["facts"] for line in caplog.records if line.msg == "database error"]


async def fail(connection: Connection, state: str) -> None:
    await connection.execute(RAISE.format(state))


@pytest.mark.parametrize("state", SEEN)
async def test_error_in_a_transaction_is_told_and_logged_once(
    database: Database, state: str, caplog: pytest.LogCaptureFixture
):
    counted = read_counts().get(("database_errors", state), 0)
    for _ in range(3):
        with pytest.raises(Overloaded) as refusal:
            await database.run_transaction(lambda connection: fail(connection, state))
        assert refusal.value.message == SEEN[state]
    assert facts_of(caplog) == [
        {"sqlstate": state, "reason": "no space for you", "left_out": 0},
    ]
    assert read_counts()["database_errors", state] >= counted + 3
    assert (await database.fetch("SELECT 1"))[0][0] == 1


@pytest.mark.parametrize("state", ["53100", "58030", "42P01", "42501"])
async def test_error_of_a_read_is_told(database: Database, state: str):
    async def read() -> None:
        async with database.connection() as connection:
            await fail(connection, state)

    with pytest.raises(Overloaded) as refusal:
        await read()
    assert refusal.value.message == SEEN[state]


@pytest.mark.parametrize("state", FAULTS)
async def test_any_other_error_is_a_fault(
    database: Database, state: str, caplog: pytest.LogCaptureFixture
):
    with pytest.raises(asyncpg.PostgresError) as fault:
        await database.run_transaction(lambda connection: fail(connection, state))
    assert getattr(fault.value, "sqlstate", None) == state
    assert facts_of(caplog) == []


async def test_error_that_goes_on_is_logged_again_with_the_number_left_out(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    for repeat_seconds in (60.0, 60.0, 0.0, 60.0):
        monkeypatch.setattr(database_errors, "REPEAT_SECONDS", repeat_seconds)
        with pytest.raises(Overloaded):
            await database.run_transaction(lambda connection: fail(connection, "53100"))
    assert [facts["left_out"] for facts in facts_of(caplog)] == [0, 1]
    assert {line.levelno for line in caplog.records if line.msg == "database error"} == {
        logging.ERROR
    }


async def test_read_only_server_is_left_and_used_again_when_it_can_be_written_to(
    pristine_database_url: str,
):
    async def write(connection: Connection) -> None:
        await connection.execute("CREATE TEMP TABLE x ON COMMIT DROP AS SELECT 1")
        await connection.execute("INSERT INTO secret_keys SELECT * FROM secret_keys")

    database = await Database.open(application_url(pristine_database_url), pool_size_max=2)
    await database.run_transaction(write)
    async with read_only(pristine_database_url):
        # As a primary that was made a standby: the sessions that there are can only read from now on.
        async with database.connection() as connection:
            await connection.execute("SET default_transaction_read_only = on")
            before = connection.get_server_pid()
        with pytest.raises(Overloaded) as refusal:
            await database.run_transaction(write)
        assert refusal.value.message == AWAY
        assert (await database.fetch("SELECT 1"))[0][0] == 1
    # The connections of before can still only read: the work leaves them for new ones.
    await database.run_transaction(write)
    async with database.connection() as connection:
        assert connection.get_server_pid() != before
    await database.close()


async def test_every_connection_to_a_read_only_server_is_left(pristine_database_url: str) -> None:
    database = await Database.open(application_url(pristine_database_url), pool_size_max=2)
    async with database.connection() as one, database.connection() as other:
        left = {one.get_server_pid(), other.get_server_pid()}
        for connection in (one, other):
            await connection.execute("SET default_transaction_read_only = on")
    with pytest.raises(ConnectionResetError):
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO secret_keys SELECT * FROM secret_keys")
    async with database.connection() as one, database.connection() as other:
        assert left.isdisjoint({one.get_server_pid(), other.get_server_pid()})
    await database.close()


@pytest.fixture
async def owner(pristine_database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(pristine_database_url)
    yield connection
    await connection.close()


async def limit(owner: asyncpg.Connection[asyncpg.Record], url: str, count: int) -> None:
    """Let so many sessions of ordinary roles use the database; the owner's one counts, too, though it is never refused."""
    await owner.execute(f"ALTER DATABASE {urlsplit(url).path[1:]} CONNECTION LIMIT {1 + count}")


async def test_work_waits_for_the_connections_that_there_are(
    pristine_database_url: str, owner: asyncpg.Connection[asyncpg.Record]
):
    """The pool may have eight, the server gives it two: all is done with those."""
    await limit(owner, pristine_database_url, 2)
    database = await Database.open(application_url(pristine_database_url), pool_size_max=8)
    answers = await asyncio.gather(
        *(
            database.fetch("SELECT pg_sleep(0.01), $1::int AS number", number)
            for number in range(60)
        )
    )
    assert [rows[0]["number"] for rows in answers] == list(range(60))
    await database.close()


async def test_no_connection_at_all_is_overloaded_and_over_when_there_is_one(
    pristine_database_url: str,
    owner: asyncpg.Connection[asyncpg.Record],
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(kept_connections, "FULL_SECONDS", 0.05)
    await limit(owner, pristine_database_url, 0)
    url = application_url(pristine_database_url)
    database = await Database.open(url, connects_first=False, acquire_timeout_seconds=5)
    for _ in range(3):
        with pytest.raises(Overloaded) as refusal:
            await database.fetch("SELECT 1")
        assert refusal.value.message == BUSY
    waiting = asyncio.create_task(database.run_transaction(lambda one: one.fetch("SELECT 1")))
    with pytest.raises(Overloaded):
        await waiting
    await limit(owner, pristine_database_url, 1)
    await asyncio.sleep(0.1)
    assert (await database.fetch("SELECT 1"))[0][0] == 1
    await database.close()
