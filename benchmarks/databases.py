"""A fresh PostgreSQL server for each side: embedded, durable, all with the settings that the gateway ships with."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import asyncpg
import psutil

from benchmarks.processes import BUILD_DIR
from gateway.keys.model import Keys
from gateway.keys.opening import load_keys
from gateway.settings import Settings
from gateway.storage.embedded import application_url, embedded_postgres
from gateway.storage.migrate import migrate

Result = TypeVar("Result")
OwnerConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


@dataclass(frozen=True, slots=True)
class SideDatabase:
    """One side's server; `data_dir` is what a gateway takes as DATA_DIR."""

    data_dir: Path
    owner_url: str

    @property
    def application_url(self) -> str:
        """Return the address as the gateway's ordinary role."""
        return application_url(self.owner_url)

    def keys(self) -> Keys:
        """Return the keys that a gateway on this database has."""
        return load_keys(Settings(data_dir=self.data_dir))

    def run(self, work: Callable[[OwnerConnection], Awaitable[Result]]) -> Result:
        """Do something as the database's owner, on a connection of its own."""

        async def connected() -> Result:
            connection = await asyncpg.connect(self.owner_url)
            try:
                return await work(connection)
            finally:
                await connection.close()

        return asyncio.run(connected())

    def execute(self, statements: str) -> None:
        """Run statements without parameters."""

        async def work(connection: OwnerConnection) -> None:
            await connection.execute(statements)

        self.run(work)

    def fetch_value(self, statement: str, *arguments: object) -> Any:
        """Return the first value of the first row."""

        async def work(connection: OwnerConnection) -> Any:
            return await connection.fetchval(statement, *arguments)

        return self.run(work)

    def process(self) -> psutil.Process:
        """Return PostgreSQL's first process, whose children the others are."""
        first_line, _, _ = (
            (self.data_dir / "postgres" / "postmaster.pid").read_text().partition("\n")
        )
        return psutil.Process(int(first_line))

    def settle(self) -> None:
        """Bring the server to the same state before each turn: everything written out, nothing left from the last one."""
        self.execute("CHECKPOINT")


@contextmanager
def fresh_database(name: str, *, migrated: bool) -> Iterator[SideDatabase]:
    """Run a new server while the block lasts, and delete it afterwards."""
    with fresh_folder(name) as folder, served(folder, migrated=migrated) as database:
        yield database


@contextmanager
def fresh_folder(name: str) -> Iterator[Path]:
    """Make a folder for a server's data, and delete it afterwards.

    It stands in the build folder and not among the temporary files, which may be kept in memory: durable is part of the work.
    """
    BUILD_DIR.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=BUILD_DIR))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def served(data_dir: Path, *, migrated: bool) -> Iterator[SideDatabase]:
    """Run a server on the folder while the block lasts."""
    with embedded_postgres(data_dir) as owner_url:
        if migrated:
            asyncio.run(migrate(owner_url))
        yield SideDatabase(data_dir, owner_url)
