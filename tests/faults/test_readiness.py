"""Ready means that the gateway can write, in the schema that it knows; else the reason is said in one word."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from gateway.app import create_application
from gateway.repeats import Repeats
from gateway.settings import Settings
from gateway.storage import readiness
from gateway.storage.database import Database
from gateway.storage.database_errors import ERRORS
from gateway.storage.embedded import application_url
from gateway.storage.readiness import Readiness
from tests.api.toy_http import started
from tests.faults.test_servers import address_of, closed_port, read_only
from tests.forwarder import forwarding

NEWER = "INSERT INTO migration (name, app_name, ran_on) VALUES ('2999', 'rewards_gateway', now())"


@pytest.fixture(autouse=True)
def asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0)


@pytest.fixture
async def owner(pristine_database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(pristine_database_url)
    yield connection
    await connection.close()


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[Readiness]:
    database = await Database.open(url, connects_first=False, pool_size_max=1)
    yield Readiness(database)
    await database.close()


@pytest.fixture
async def ready(pristine_database_url: str) -> AsyncIterator[Readiness]:
    async with watching(application_url(pristine_database_url)) as found:
        yield found


async def test_current_database_is_ready(ready: Readiness):
    assert await ready.find_reasons() == ()


async def test_who_asks_again_at_once_is_told_the_same_and_asks_nothing(
    pristine_database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 60)
    asked: list[Database] = []

    async def check(database: Database) -> str | None:
        asked.append(database)
        return "busy"

    database = await Database.open(application_url(pristine_database_url), pool_size_max=1)
    ready = Readiness(database, [check])
    assert [await ready.find_reasons() for _ in range(3)] == [("busy",)] * 3
    assert len(asked) == 1
    await database.close()


async def test_database_that_may_only_be_read_is_not_and_is_again_afterwards(
    pristine_database_url: str, ready: Readiness
):
    assert await ready.find_reasons() == ()
    async with read_only(pristine_database_url):
        # Its session is of before; the next one is not.
        await ready._database.leave_server()
        assert await ready.find_reasons() == ("read_only",)
    assert await ready.find_reasons() == ()


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("REVOKE INSERT ON operations FROM rewards_gateway", "missing_rights"),
        ("REVOKE SELECT ON migration FROM rewards_gateway", "missing_rights"),
        ("DROP SCHEMA public CASCADE", "no_schema"),
        ("ALTER TABLE grants RENAME TO other", "no_schema"),
        ("DELETE FROM migration WHERE name = (SELECT max(name) FROM migration)", "schema_older"),
        (NEWER, "schema_newer"),
    ],
)
async def test_reason_is_named(
    owner: asyncpg.Connection[asyncpg.Record], ready: Readiness, statement: str, reason: str
):
    await owner.execute(statement)
    assert await ready.find_reasons() == (reason,)


async def test_who_serves_goes_on_while_a_newer_gateway_migrates(
    owner: asyncpg.Connection[asyncpg.Record], ready: Readiness
):
    assert await ready.find_reasons() == ()
    await owner.execute(NEWER)
    assert await ready.find_reasons() == ()


async def test_full_database_is_not_ready(
    owner: asyncpg.Connection[asyncpg.Record], pristine_database_url: str, ready: Readiness
):
    name = urlsplit(pristine_database_url).path[1:]
    await owner.execute(f"ALTER DATABASE {name} CONNECTION LIMIT 0")
    assert await ready.find_reasons() == ("database_full",)


async def test_unreachable_and_unknown_are_named(pristine_database_url: str):
    async with watching(address_of(pristine_database_url, closed_port())) as found:
        assert await found.find_reasons() == ("database_unreachable",)
    async with watching(application_url(pristine_database_url).replace("/test", "/no")) as found:
        assert await found.find_reasons() == ("no_database",)


async def test_after_a_full_disk_writing_is_tried_until_it_succeeds(
    ready: Readiness, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(ERRORS, "_repeats", Repeats())
    full = "DO $$ BEGIN RAISE 'No space left on device' USING ERRCODE = '53100'; END $$"
    monkeypatch.setattr("gateway.storage.readiness_store.WRITE", full)
    assert await ready.find_reasons() == ()
    ERRORS.note(asyncpg.DiskFullError("no space"))
    for _ in range(2):
        assert await ready.find_reasons() == ("disk_full",)
    monkeypatch.undo()
    monkeypatch.setattr(readiness, "KEPT_SECONDS", 0)
    assert await ready.find_reasons() == ()
    assert ERRORS.is_unwritable is False


async def test_frozen_server_is_not_ready_and_the_reason_is_answered(
    pristine_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateway.http.health.READY_TIMEOUT_SECONDS", 0.3)
    async with forwarding(pristine_database_url) as forwarder:
        application = create_application(
            Settings(data_dir=tmp_path), forwarder.url(pristine_database_url)
        )
        async with started(application):
            transport = httpx.ASGITransport(application)
            async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
                assert (await client.get("/health/ready")).status_code == 200
                forwarder.freeze()
                response = await client.get("/health/ready")
                forwarder.thaw()
    assert response.status_code == 503
    assert response.json() == {"status": "not ready", "reasons": ["database_silent"]}


async def test_keys_that_are_not_configured_are_named(
    owner: asyncpg.Connection[asyncpg.Record], pristine_database_url: str, tmp_path: Path
):
    await owner.execute("INSERT INTO secret_keys VALUES (99, '0123456789abcdef', now())")
    application = create_application(
        Settings(data_dir=tmp_path), application_url(pristine_database_url)
    )
    async with started(application):
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
            response = await client.get("/health/ready")
    assert response.json() == {"status": "not ready", "reasons": ["missing_keys"]}
