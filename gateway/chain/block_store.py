"""Blocks in the database, who makes them, and how far they may go. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import asyncpg

from gateway.chain.model import Block, Facts, Head, Header, Position, Positions
from gateway.storage.database import Connection

_HEADER = """
tenant_id, number, previous, operations_until, operations_until_id, transactions_until, transactions_until_id, grants_until,
    grants_until_id, fact_count, root, made_at, key_id, form, tag, signature
"""

# All rows below are there for good: whoever wrote them has ended, and later ones get higher numbers.
HORIZON = "pg_snapshot_xmin(pg_current_snapshot())::text::bigint"
# No database transaction has a number from here on yet.
_NEXT = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"

FETCH_LAST = f"""
SELECT {_HEADER} FROM chain_blocks WHERE tenant_id = $1 ORDER BY number DESC LIMIT 1
"""

FETCH_BLOCKS = f"""
SELECT {_HEADER}, fact_kinds, fact_ids, fact_hashes FROM chain_blocks WHERE tenant_id = $1 AND number > $2
ORDER BY number LIMIT $3
"""

FETCH_BLOCK_OF_GRANT = f"""
SELECT {_HEADER}, fact_kinds, fact_ids, fact_hashes FROM chain_blocks
WHERE tenant_id = $1 AND (grants_until, grants_until_id) >= (SELECT written_in, id FROM grants WHERE tenant_id = $1 AND id = $2)
ORDER BY grants_until, grants_until_id, number LIMIT 1
"""

INSERT = f"""
INSERT INTO chain_blocks ({_HEADER}, fact_kinds, fact_ids, fact_hashes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
ON CONFLICT DO NOTHING
RETURNING number
"""


def _last_position(table: str, first: int, limit: str) -> str:
    return f"""(
    SELECT ARRAY[written_in::text, id::text] FROM (
        SELECT written_in, id FROM {table}
        WHERE tenant_id = $1 AND (written_in, id) > (${first}, ${first + 1}) AND written_in < {HORIZON}
        ORDER BY written_in, id LIMIT {limit}
    ) AS due ORDER BY written_in DESC, id DESC LIMIT 1
    )"""


FIND_UNTIL = f"""
SELECT {_last_position("operations", 2, "$8")} AS operations, {_last_position("ledger_transactions", 4, "$8")} AS transactions,
    {_last_position("grants", 6, "$8")} AS grants, {_NEXT} AS next
"""


def _is_due(table: str, until: str) -> str:
    return f"""EXISTS (SELECT FROM {table} WHERE tenant_id = tenants.id AND written_in < {HORIZON}
        AND (written_in, id) > (coalesce(last.{until}, 0), coalesce(last.{until}_id, '00000000-0000-0000-0000-000000000000')))"""


# Of each tenant that has something to chain: to whoever made its blocks last, or if that was a while ago to who asks first.
LEASE = f"""
INSERT INTO chain_leases (tenant_id, holder_id, leased_until)
SELECT tenants.id, $1, now() + make_interval(secs => $2::float8)
FROM tenants LEFT JOIN LATERAL (
    SELECT {_HEADER} FROM chain_blocks WHERE tenant_id = tenants.id ORDER BY number DESC LIMIT 1
) AS last ON true
WHERE {_is_due("operations", "operations_until")} OR {_is_due("ledger_transactions", "transactions_until")}
    OR {_is_due("grants", "grants_until")}
ORDER BY tenants.id
ON CONFLICT (tenant_id) DO UPDATE SET holder_id = excluded.holder_id, leased_until = excluded.leased_until
    WHERE chain_leases.holder_id = excluded.holder_id OR chain_leases.leased_until < now()
RETURNING tenant_id
"""

FETCH_TENANTS = "SELECT id FROM tenants WHERE $1::uuid IS NULL OR id = $1 ORDER BY id"

_COUNTS = " UNION ALL ".join(
    f"""
    SELECT '{table}', count(*) FILTER (WHERE written_in < {_NEXT}), count(*) FILTER (WHERE written_in >= {_NEXT}),
        (array_agg(id) FILTER (WHERE written_in >= {_NEXT}))[1:{limit}]
    FROM {table} WHERE tenant_id = $1 AND (written_in, id) > (${first}, ${first + 1})
    """
    for table, first, limit in (
        ("operations", 2, 20),
        ("ledger_transactions", 4, 20),
        ("grants", 6, 20),
    )
)
COUNT_BEHIND = f"SELECT * FROM ({_COUNTS}) AS counts (name, waiting, ahead, ahead_ids)"


class Reach(NamedTuple):
    """Up to where the next block goes, and the number that no database transaction has yet."""

    until: Positions
    next: int


class Behind(NamedTuple):
    """Rows of a table that no block covers yet, and rows that claim to be written by who has not begun, with some of their ids."""

    table: str
    waiting: int
    ahead: int
    ahead_ids: Sequence[UUID]


async def lease_tenants(connection: Connection, holder_id: UUID, seconds: float) -> list[UUID]:
    """Take the tenants that have something to chain and are nobody else's; reads across tenants, for jobs only."""
    return [row["tenant_id"] for row in await connection.fetch(LEASE, holder_id, seconds)]


async def fetch_tenants(connection: Connection, tenant_id: UUID | None) -> list[UUID]:
    """Return the tenant, or every one, in order."""
    return [row["id"] for row in await connection.fetch(FETCH_TENANTS, tenant_id)]


async def fetch_last_head(connection: Connection, tenant_id: UUID) -> Head | None:
    """Return the head of a tenant's last block."""
    row = await connection.fetchrow(FETCH_LAST, tenant_id)
    return None if row is None else _to_head(row)


async def fetch_blocks(
    connection: Connection, tenant_id: UUID, after: int, limit: int
) -> list[Block]:
    """Return a tenant's blocks that follow a number, in order."""
    return [_to_block(row) for row in await connection.fetch(FETCH_BLOCKS, tenant_id, after, limit)]


async def fetch_block_of_grant(
    connection: Connection, tenant_id: UUID, grant_id: UUID
) -> Block | None:
    """Return the block that covers the grant as it is now; None if none does yet, or there is no such grant."""
    row = await connection.fetchrow(FETCH_BLOCK_OF_GRANT, tenant_id, grant_id)
    return None if row is None else _to_block(row)


async def find_reach(
    connection: Connection, tenant_id: UUID, after: Positions, limit: int
) -> Reach:
    """Return how far a block of at most `limit` rows of each table goes."""
    row = await connection.fetchrow(FIND_UNTIL, tenant_id, *_flatten(after), limit)
    assert row is not None  # noqa: S101 - no FROM, so always one row
    found = [row["operations"], row["transactions"], row["grants"]]
    until = [
        before if last is None else Position(int(last[0]), UUID(last[1]))
        for before, last in zip(after, found, strict=True)
    ]
    return Reach(Positions(*until), row["next"])


async def insert_block(connection: Connection, block: Block) -> bool:
    """Write a block; False if another process has written one of this number."""
    head, header, facts = block.head, block.head.header, block.facts
    rows = await connection.fetch(
        INSERT,
        header.tenant_id,
        header.number,
        header.previous,
        *_flatten(header.until),
        header.fact_count,
        header.root,
        header.made_at,
        header.key_id,
        header.form,
        head.tag,
        head.signature,
        facts.kinds,
        facts.ids,
        facts.hashes,
    )
    return bool(rows)


async def count_behind(connection: Connection, tenant_id: UUID, until: Positions) -> list[Behind]:
    """Count, for each table, what was written after these positions."""
    rows = await connection.fetch(COUNT_BEHIND, tenant_id, *_flatten(until))
    return [
        Behind(name, waiting, ahead, ids or ()) for name, waiting, ahead, ids in map(tuple, rows)
    ]


def _flatten(positions: Positions) -> list[int | UUID]:
    return [value for position in positions for value in position]


def _to_head(row: asyncpg.Record) -> Head:
    until = Positions(
        Position(row["operations_until"], row["operations_until_id"]),
        Position(row["transactions_until"], row["transactions_until_id"]),
        Position(row["grants_until"], row["grants_until_id"]),
    )
    header = Header(
        tenant_id=row["tenant_id"],
        number=row["number"],
        previous=row["previous"],
        until=until,
        fact_count=row["fact_count"],
        root=row["root"],
        made_at=row["made_at"],
        key_id=row["key_id"],
        form=row["form"],
    )
    return Head(header, row["tag"], row["signature"])


def _to_block(row: asyncpg.Record) -> Block:
    return Block(_to_head(row), Facts(row["fact_kinds"], row["fact_ids"], row["fact_hashes"]))
