"""Real PostgreSQL for tests: one server a run, one database a worker, emptied before each test that asks for it.

`database` is the usual choice. `pristine_database_url` is for tests that change more than rows: it is a new clone.
The server belongs to the workers together: the last to leave stops and deletes it, and its guardian does if they are killed.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import pytest

from gateway.storage.database import Database
from gateway.storage.embedded import application_url, embedded_postgres
from gateway.storage.migrate import migrate
from tests.sealing import KEYS

POOL_SIZE_MAX = 10


@dataclass(frozen=True, slots=True)
class CloneMaker:
    """Makes and drops databases that are copies of the migrated template."""

    template_url: str

    async def create(self) -> str:
        """Copy the template and return the copy's address as its owner."""
        name = f"test_{uuid4().hex}"
        template = urlsplit(self.template_url).path.removeprefix("/")
        await self._run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return _with_database(self.template_url, name)

    async def drop(self, owner_url: str) -> None:
        """Drop a copy, whoever is still connected to it."""
        name = urlsplit(owner_url).path.removeprefix("/")
        await self._run(f"DROP DATABASE {name} WITH (FORCE)")

    async def _run(self, statement: str) -> None:
        # Not connected to the template: PostgreSQL copies only a database that nobody uses.
        connection = await asyncpg.connect(_with_database(self.template_url, "postgres"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@dataclass(frozen=True, slots=True)
class WorkerDatabase:
    """This worker's database: its owner's address and connection, the application's pool, and the tables tests fill."""

    owner_url: str
    owner: asyncpg.Connection[asyncpg.Record]
    pool: Database
    tables: tuple[str, ...]

    async def truncate(self) -> None:
        """Make the database like a new clone, in 20 ms: without dead rows, whose number would sway plans."""
        await self.owner.execute(f"TRUNCATE {', '.join(self.tables)}")

    async def delete(self) -> None:
        """Delete all rows, in under 1 ms if there are few."""
        await self.owner.execute(";".join(f"DELETE FROM {table}" for table in self.tables))  # noqa: S608 - our tables


@pytest.fixture(scope="session")
def server_owner_url(testrun_uid: str) -> Iterator[str]:
    """Share one server among this run's workers."""
    folder = Path(tempfile.gettempdir()) / f"rewards-gateway-tests-{testrun_uid}"
    with embedded_postgres(folder, disposable=True) as owner_url:
        yield owner_url


@pytest.fixture(scope="session")
async def clone_maker(server_owner_url: str) -> CloneMaker:
    """Migrate the template, once for all workers."""
    await migrate(server_owner_url)
    return CloneMaker(server_owner_url)


@pytest.fixture(scope="session")
async def worker_database(clone_maker: CloneMaker) -> AsyncIterator[WorkerDatabase]:
    """Give this worker a database, and a pool that lasts as long."""
    owner_url = await clone_maker.create()
    owner = await asyncpg.connect(owner_url)
    # Rows go in any order: foreign keys are not checked in a replica's session.
    await owner.execute("SET session_replication_role = replica; SET lock_timeout = '5s'")
    # As the application's role, which whoever logged in can leave only where founding and credentials are the operator's.
    pool = await Database.open(owner_url, pool_size_max=POOL_SIZE_MAX, keys=KEYS)
    yield WorkerDatabase(owner_url, owner, pool, await _list_empty_tables(owner))
    await pool.close()
    await owner.close()
    await clone_maker.drop(owner_url)


@pytest.fixture(scope="module")
async def module_database(worker_database: WorkerDatabase) -> WorkerDatabase:
    """Start each file of tests on a database like new, whatever files this worker ran before."""
    await worker_database.truncate()
    return worker_database


@pytest.fixture
async def owner_database_url(module_database: WorkerDatabase) -> str:
    """Empty this worker's database and return its address as the owner, who may do anything."""
    await module_database.delete()
    return module_database.owner_url


@pytest.fixture
async def owner(owner_database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Connect to this worker's emptied database as the owner, to look or reach behind the application."""
    connection = await asyncpg.connect(owner_database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def database_url(owner_database_url: str) -> str:
    """Empty this worker's database and return its address as the application's role."""
    return application_url(owner_database_url)


@pytest.fixture
async def database(database_url: str, worker_database: WorkerDatabase) -> Database:
    """Empty this worker's database and return its pool, as the application uses it."""
    return worker_database.pool


@pytest.fixture
async def pristine_database_url(clone_maker: CloneMaker) -> AsyncIterator[str]:
    """Make a database for this test alone and return its owner's address."""
    owner_url = await clone_maker.create()
    yield owner_url
    await clone_maker.drop(owner_url)


@pytest.fixture
def server_folder() -> Iterator[Path]:
    """Make a folder for tests that run a server of their own."""
    # Not pytest's tmp_path: when root runs the tests, every start of pytest shuts other users out of its parent.
    with tempfile.TemporaryDirectory(prefix="rewards-gateway-") as path:
        yield Path(path)


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def _list_empty_tables(owner: asyncpg.Connection[asyncpg.Record]) -> tuple[str, ...]:
    """Name every table that a new database has empty; the others hold what migrations put there."""
    tables = await owner.fetch(
        "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
    )
    empty = [
        name
        for (name,) in tables
        if not await owner.fetchval(f"SELECT EXISTS (SELECT FROM {name})")  # noqa: S608 - quoted above
    ]
    return tuple(empty)
