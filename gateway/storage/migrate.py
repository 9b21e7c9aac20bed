"""Bring a database to the current schema, once, however many gateways start together."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg

from gateway.database_address import DatabaseAddress
from gateway.storage.connecting import Connector
from gateway.storage.database import APPLICATION_ROLE

# Nothing at all where the application's role is missing, or out of the owner's reach: a restored database may be in another
# cluster, and the owner another login than before.
RAN = """
SELECT name FROM migration
WHERE app_name = $1 AND EXISTS (SELECT FROM pg_roles WHERE rolname = $2 AND pg_has_role(oid, 'MEMBER'))
"""

MIGRATIONS_FOLDER = Path(__file__).parent / "migrations"
APP_NAME = "rewards_gateway"

# Under which name a migration is remembered. Read as text: importing the modules would bring all of Piccolo's migrations.
_ID = re.compile(r'^ID = "([^"]+)"$', re.MULTILINE)


async def migrate(owner_url: str) -> None:
    """Create the application's role and run every migration that has not run, in one database transaction.

    A lock makes concurrent starts wait for each other; the one that waited finds nothing left to do. A crash half-way
    leaves the schema as it was. `owner_url` names a role that may create tables and roles. If everything has run: one
    connection, one statement, and nothing of Piccolo's migrations is imported.

    Raises:
        NoServer: no server of the address can be used.
        asyncpg.PostgresError: the role may not do this, or a migration fails.
    """
    if await is_current(owner_url):
        return
    from gateway.storage.migrating import run_migrations  # noqa: PLC0415 - takes a tenth of a start

    await run_migrations(owner_url)


async def is_current(owner_url: str) -> bool:
    """Tell whether every migration in the folder has run, and there is the application's role for the owner to take.

    What a newer gateway has added does not count.

    Exact at any time: migrations and the notes that they have run are committed together.

    Raises:
        NoServer: no server of the address can be used.
        asyncpg.PostgresError: the server refuses the role, or the role may not read what has run.
    """
    connection = await Connector(DatabaseAddress.parse(owner_url)).connect()
    try:
        ran = await connection.fetch(RAN, APP_NAME, APPLICATION_ROLE)
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()
    return migration_ids() <= {row["name"] for row in ran}


def migration_ids() -> set[str]:
    """Return the id of each migration in the folder."""
    return {
        found
        for path in MIGRATIONS_FOLDER.glob("m*.py")
        for found in _ID.findall(path.read_text(encoding="utf-8"))
    }
