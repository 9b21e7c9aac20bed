"""Bring a database to the current schema, once, however many gateways start together."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg

from gateway.database_address import DatabaseAddress
from gateway.storage.connecting import Connector
from gateway.storage.privileges import APPLICATION_ROLE, ROLES

# Nothing at all where one of our roles is missing, or out of the owner's reach: a restored database may be in another
# cluster, and the owner another login than before. The application itself, where it has no owner's address, takes no roles.
RAN = """
SELECT name FROM migration
WHERE app_name = $1 AND NOT EXISTS (
    SELECT FROM unnest($2::text[]) AS wanted (role) LEFT JOIN pg_roles ON rolname = role
    WHERE oid IS NULL OR NOT (pg_has_role(oid, 'MEMBER') OR current_user = $3)
)
"""

MIGRATIONS_FOLDER = Path(__file__).parent / "migrations"
APP_NAME = "rewards_gateway"

# Under which name a migration is remembered. Read as text: importing the modules would bring all of Piccolo's migrations.
_ID = re.compile(r'^ID = "([^"]+)"$', re.MULTILINE)


async def migrate(owner_url: str) -> None:
    """Create our roles and run every migration that has not run, in one database transaction.

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
    """Tell whether every migration in the folder has run, and there are our roles for the owner to take.

    What a newer gateway has added does not count.

    Exact at any time: migrations and the notes that they have run are committed together.

    Raises:
        NoServer: no server of the address can be used.
        asyncpg.PostgresError: the server refuses the role, or the role may not read what has run.
    """
    connection = await Connector(DatabaseAddress.parse(owner_url)).connect()
    try:
        ran = await connection.fetch(RAN, APP_NAME, list(ROLES), APPLICATION_ROLE)
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
