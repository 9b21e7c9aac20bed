"""Where the database is: the one that is configured, or our own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from gateway.database_address import DatabaseAddress
from gateway.settings import Settings
from gateway.storage.connecting import NoServer, explain_error
from gateway.storage.database import Database
from gateway.storage.embedded import application_url, embedded_postgres
from gateway.storage.migrate import migrate


class DatabaseUnavailable(Exception):
    """The database cannot be used; the message is one line for a person and holds no password."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """Two addresses of one database: as the owner of its tables, for migrations, and as the application."""

    owner_url: str
    application_url: str


@contextmanager
def open_addresses(settings: Settings, *, may_create: bool = True) -> Iterator[Addresses]:
    """Yield the addresses of the configured database, or run our own PostgreSQL while the block lasts.

    Without `may_create` our own must be there already: a command that looks at data must not look at a new, empty database
    because DATA_DIR was mistyped.

    Raises:
        EmbeddedServerFailed: our own does not start.
        DatabaseUnavailable: our own is not there.
    """
    if settings.database_url is not None:
        owner_url = settings.migration_database_url or settings.database_url
        yield Addresses(owner_url, settings.database_url)
        return
    if not may_create and not (settings.data_dir / "postgres" / "PG_VERSION").exists():
        message = (
            f"There is no database in DATA_DIR {settings.data_dir}: `gateway serve` makes one."
        )
        raise DatabaseUnavailable(message)
    with embedded_postgres(settings.data_dir) as owner_url:
        yield Addresses(owner_url, application_url(owner_url))


async def migrate_or_explain(addresses: Addresses) -> None:
    """Bring the database to the current schema.

    Raises:
        DatabaseUnavailable: it cannot be reached, or refuses; the message says which server and why.
    """
    with _explaining(addresses.owner_url):
        await migrate(addresses.owner_url)


@asynccontextmanager
async def open_database(url: str, **options: Any) -> AsyncIterator[Database]:
    """Open the database with the options of `Database.open` while the block lasts.

    Raises:
        DatabaseUnavailable: it cannot be reached, or refuses; the message says which server and why.
    """
    with _explaining(url):
        database = await Database.open(url, **options)
    try:
        yield database
    finally:
        await database.close()


@contextmanager
def _explaining(url: str) -> Iterator[None]:
    """Say of any fault which database it was, and why, in one line.

    Raises:
        DatabaseUnavailable: the block failed because of the database.
    """
    try:
        yield
    except NoServer as error:
        message = f"The database cannot be used: {error}."
        raise DatabaseUnavailable(message) from error
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        where = DatabaseAddress.parse(url)
        message = f"The database {where} cannot be used: it {explain_error(error)}."
        raise DatabaseUnavailable(message) from error
