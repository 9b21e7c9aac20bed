"""What a gateway needs of its database, as one sees it from a session of the application's role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import asyncpg

from gateway.storage.database import Connection
from gateway.storage.migrate import APP_NAME
from gateway.storage.privileges import APPLICATION, Access

STATE = """
SELECT current_setting('transaction_read_only')::boolean AS is_read_only,
    count(*) FILTER (WHERE to_regclass(need.name) IS NULL) AS missing_tables,
    count(*) FILTER (WHERE NOT CASE need.privilege
        WHEN 'UPDATE' THEN has_any_column_privilege(to_regclass(need.name), need.privilege)
        ELSE has_table_privilege(to_regclass(need.name), need.privilege) END) AS missing_rights
FROM unnest($1::text[], $2::text[]) AS need (name, privilege)
"""
RAN = "SELECT name FROM migration WHERE app_name = $1"
# Extends a file by eight pages, as rows do when there is no room for them, and leaves nothing.
MAKE_ROOM = (
    "CREATE TEMP TABLE IF NOT EXISTS write_probe (filler text STORAGE PLAIN) ON COMMIT DELETE ROWS"
)
WRITE = "INSERT INTO write_probe SELECT repeat('x', 8000) FROM generate_series(1, 8)"


async def fetch_state(connection: Connection) -> asyncpg.Record:
    """Return whether the session can only read, and how many tables and rights it lacks; one round trip."""
    needs = list(_needs(APPLICATION))
    row: asyncpg.Record
    [row] = await connection.fetch(
        STATE, [table for table, _ in needs], [privilege for _, privilege in needs]
    )
    return row


async def fetch_migrations(connection: Connection) -> set[str]:
    """Return the ids of the migrations that have run; one round trip."""
    return {row["name"] for row in await connection.fetch(RAN, APP_NAME)}


async def try_to_write(connection: Connection) -> None:
    """Raise what an insert would for want of space; two round trips."""
    await connection.execute(MAKE_ROOM)
    await connection.execute(WRITE)


def _needs(tables: Mapping[str, Access]) -> Iterator[tuple[str, str]]:
    for table, access in tables.items():
        yield table, "SELECT"
        if access.insert:
            yield table, "INSERT"
        if access.update:
            yield table, "UPDATE"
        if access.delete:
            yield table, "DELETE"
