"""Where sealed values stand, and the statements that find and replace those that other keys have sealed.

They run as the owner of the tables, across tenants: the application's role may change none of these columns. A row that others have
locked is passed over. Values are found by what they begin with: the form and the id of the key, nine bytes, or twelve characters of
the text in JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import asyncpg

from gateway.database_address import DatabaseAddress
from gateway.storage.array_codecs import use_codecs
from gateway.storage.connecting import Connector
from gateway.storage.database import OperatorNeeded

OwnerConnection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

HEADER_BYTES = 9
TEXT_HEADER_LENGTH = 12


class Statements(NamedTuple):
    """How one kind of place is read and written. $1 of `find` is the current key's header, $2 the number of rows."""

    find: str
    replace: str
    total: str


def _binary(table: str, column: str, key: str, more: str = "", also: str = "") -> Statements:
    """Return the statements of a `bytea` column; `more` are columns to read, `also` another one to write."""
    header = f"substr({column}, 1, {HEADER_BYTES})"
    return Statements(
        f"SELECT tenant_id, {key} AS id, {column} AS sealed {more} FROM {table} WHERE {column} IS NOT NULL AND {header} <> $1 "
        f"LIMIT $2 FOR UPDATE SKIP LOCKED",
        f"UPDATE {table} SET {column} = $3 {also} WHERE tenant_id = $1 AND {key} = $2",
        f"SELECT encode(substr({column}, 2, 8), 'hex') AS key_id, count(*) FROM {table} WHERE {column} IS NOT NULL GROUP BY 1",
    )


def _json(
    table: str, column: str, path: str, key: str, condition: str = "true", more: str = ""
) -> Statements:
    """Return the statements of a sealed text at a path of a `jsonb` column."""
    text = f"{column} #>> '{path}'"
    header = f"left({text}, {TEXT_HEADER_LENGTH})"
    return Statements(
        f"SELECT tenant_id, {key} AS id, {text} AS sealed {more} FROM {table} WHERE {condition} AND {text} IS NOT NULL "
        f"AND {header} <> $1 LIMIT $2 FOR UPDATE SKIP LOCKED",
        f"UPDATE {table} SET {column} = jsonb_set({column}, '{path}', to_jsonb($3::text)) WHERE tenant_id = $1 AND {key} = $2",
        f"SELECT {header} AS header, count(*) FROM {table} WHERE {condition} AND {text} IS NOT NULL GROUP BY 1",
    )


CODES = _binary("codes", "code_sealed", "id", ", organization_id", ", code_index = $4")
VENDOR_HEADERS = _binary("vendors", "secret_header_sealed", "id")
VENDOR_TEMPLATES = _binary("vendors", "request_template_sealed", "id")
ORDER_TEMPLATES = _binary("vendor_orders", "request_template_sealed", "grant_id", ", vendor_id")
# A grant gives one code at most, as its first benefit.
GRANTS = _json(
    "grants",
    "benefits",
    "{0,sealed_code}",
    "id",
    "kind IN ('UNIQUE_COUPON', 'NON_UNIQUE_COUPON', 'VENDOR_VOUCHER')",
)
REWARDS = _json("reward_versions", "configuration", "{sealed_code}", "id", more=", reward_id")
REWARD_ANSWERS = _json(
    "operations",
    "answer",
    "{configuration,sealed_code}",
    "id",
    "kind IN ('CREATE_REWARD', 'UPDATE_REWARD')",
    ", (answer ->> 'id')::uuid AS reward_id",
)
VENDOR_ANSWERS = _json(
    "operations",
    "answer",
    "{request_template_sealed}",
    "id",
    "kind IN ('CREATE_VENDOR', 'UPDATE_VENDOR')",
    ", (answer ->> 'id')::uuid AS vendor_id",
)

FORGET_KEYS = "DELETE FROM secret_keys WHERE id <> $1"

IS_OWNER = "SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = 'secret_keys'::regclass"


async def connect_owner(owner_url: str) -> OwnerConnection:
    """Connect as the owner of the tables, to the server that can be written to.

    Raises:
        NoServer: no server of the address can be used.
        asyncpg.PostgresError: a server refuses this user or this database.
    """
    connector = Connector(DatabaseAddress.parse(owner_url))
    connection: OwnerConnection = await connector.connect(use_codecs)
    return connection


async def require_owner(connection: OwnerConnection) -> None:
    """Let the login pass that owns the tables.

    Raises:
        OperatorNeeded: it is another one, such as the application's.
    """
    if not await connection.fetchval(IS_OWNER):
        message = "MIGRATION_DATABASE_URL must name the login that owns the tables."
        raise OperatorNeeded(message)


async def find_others(
    connection: OwnerConnection, statements: Statements, header: bytes | str, limit: int
) -> list[asyncpg.Record]:
    """Return, locked, some rows whose value another key has sealed."""
    return await connection.fetch(statements.find, header, limit)


async def replace_values(
    connection: OwnerConnection, statements: Statements, rows: Sequence[Sequence[Any]]
) -> None:
    """Write what rows that were locked have instead: tenant, id, and the new values of each."""
    await connection.executemany(statements.replace, rows)


async def count_values(connection: OwnerConnection, statements: Statements) -> list[asyncpg.Record]:
    """Return how many values there are of each key, or of each beginning of the text."""
    return await connection.fetch(statements.total)


async def forget_other_keys(connection: OwnerConnection, key_id: str) -> None:
    """Take every key but this one out of those in use."""
    await connection.execute(FORGET_KEYS, key_id)
