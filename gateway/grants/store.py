"""Grant rows: written in one statement for any number, locked and moved along one status at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

import asyncpg

from gateway.grants.record import KINDS, SOURCES, STATUSES, GrantRecord
from gateway.ledger.book import Book
from gateway.ledger.store import Beside, record
from gateway.storage.copying import copy_rows
from gateway.storage.database import Connection, to_json

# Each change moves a grant to the end of the order in which the chain reads (gateway/chain).
WRITTEN_NOW = "written_in = pg_current_xact_id()::text::bigint"
COLUMNS = ", ".join(field.name for field in fields(GrantRecord))

# Its parameters follow those of the ledger's statement, in which it travels.
INSERT = f"""
INSERT INTO grants (tenant_id, {COLUMNS})
SELECT $1, unnest($27::uuid[]), unnest($28::uuid[]), unnest($29::uuid[]), unnest($30::uuid[]), unnest($31::int[]),
    unnest($32::text[]), unnest($33::text[]), unnest($34::text[]), unnest($35::uuid[]), unnest($36::uuid[]),
    unnest($37::text[]), unnest($38::text[]), unnest($39::jsonb[]), unnest($40::jsonb[]), unnest($41::jsonb[]),
    unnest($42::timestamptz[]), unnest($43::uuid[]), unnest($44::int[]), unnest($45::int[]),
    unnest($46::timestamptz[]), unnest($47::timestamptz[]), unnest($48::timestamptz[]), unnest($49::uuid[]),
    unnest($50::uuid[])
"""

FETCH = f"""
SELECT {COLUMNS} FROM grants WHERE tenant_id = $1 AND id = ANY($2::uuid[])
"""

# In id order, so that two requests over the same grants cannot deadlock.
LOCK = f"{FETCH} ORDER BY id FOR UPDATE"

CLAIM = f"""
UPDATE grants SET status = 'CLAIMED', claimed_at = $4, claim_transaction_id = claimed.transaction_id, {WRITTEN_NOW}
FROM unnest($2::uuid[], $3::uuid[]) AS claimed (id, transaction_id)
WHERE grants.tenant_id = $1 AND grants.id = claimed.id AND grants.status = 'CONFIRMED'
"""

REVERSE = f"""
UPDATE grants SET status = 'REVERSED', reversed_at = $4, reversal_transaction_id = reversed.transaction_id, {WRITTEN_NOW}
FROM unnest($2::uuid[], $3::uuid[]) AS reversed (id, transaction_id)
WHERE grants.tenant_id = $1 AND grants.id = reversed.id AND grants.status <> 'REVERSED'
"""

ISSUE = f"""
UPDATE grants SET status = 'CLAIMED', benefits = $3, entry_from = $4, entry_to = $5, claimed_at = $6,
    claim_transaction_id = transaction_id, {WRITTEN_NOW}
WHERE tenant_id = $1 AND id = $2 AND status = 'PENDING'
"""

DECLINE = f"""
UPDATE grants SET status = 'DECLINED', details = details || $3::jsonb, {WRITTEN_NOW}
WHERE tenant_id = $1 AND id = $2 AND status = 'PENDING'
"""

_NAMES = [field.name for field in fields(GrantRecord)]
_values_of = attrgetter(*_NAMES)
_EMPTY = {"metadata": "{}", "benefits": "[]", "details": "{}"}
_SOURCE, _KIND, _STATUS = map(COLUMNS.split(", ").index, ("source", "kind", "status"))
_JSON_PLACES = [_NAMES.index(name) for name in sorted(_EMPTY)]
# From here on, copying costs less than an insert.
COPIED_MIN = 500


async def insert_grants(
    connection: Connection, tenant_id: UUID, grants: Sequence[GrantRecord], book: Book, at: datetime
) -> None:
    """Write the grants and what the book decided for them; one round trip, two if there are many."""
    if len(grants) < COPIED_MIN:
        await record(connection, tenant_id, book, at, Beside(INSERT, _to_columns(grants)))
        return
    await record(connection, tenant_id, book, at)
    rows = (_to_row(tenant_id, grant) for grant in grants)
    await copy_rows(connection, "grants", ("tenant_id", *_NAMES), rows)


def _to_columns(grants: Sequence[GrantRecord]) -> list[Sequence[Any]]:
    columns: dict[str, Sequence[Any]] = dict(
        zip(_NAMES, zip(*map(_values_of, grants), strict=True), strict=True)
    )
    for name, empty in _EMPTY.items():
        # Most grants have no metadata, or no details.
        columns[name] = [to_json(value) if value else empty for value in columns[name]]
    return list(columns.values())


async def fetch_grants(
    connection: Connection, tenant_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, GrantRecord]:
    """Return the grants of the tenant that exist among these ids. The caller decides who may see them."""
    rows = await connection.fetch(FETCH, tenant_id, list(ids))
    return {row["id"]: to_record(row) for row in rows}


async def lock_grants(
    connection: Connection, tenant_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, GrantRecord]:
    """Return the grants as `fetch_grants` does, locked until the database transaction ends."""
    rows = await connection.fetch(LOCK, tenant_id, list(ids))
    return {row["id"]: to_record(row) for row in rows}


async def mark_claimed(
    connection: Connection, tenant_id: UUID, transactions: Mapping[UUID, UUID], at: datetime
) -> None:
    """Move confirmed grants to claimed; `transactions` maps grant ids to the transactions that credited them."""
    await connection.write(CLAIM, tenant_id, list(transactions), list(transactions.values()), at)


async def mark_reversed(
    connection: Connection, tenant_id: UUID, transactions: Mapping[UUID, UUID], at: datetime
) -> None:
    """Move grants to reversed; `transactions` maps grant ids to the transactions that took them back."""
    ids, reversal_ids = list(transactions), list(transactions.values())
    await connection.write(REVERSE, tenant_id, ids, reversal_ids, at)


async def mark_issued(
    connection: Connection,
    tenant_id: UUID,
    grant_id: UUID,
    benefits: Sequence[Mapping[str, Any]],
    entries: tuple[int, int],
    at: datetime,
) -> None:
    """Move a pending grant to claimed: its benefits are in hand, and its entries stand in the range given."""
    await connection.write(ISSUE, tenant_id, grant_id, to_json(benefits), *entries, at)


async def mark_declined(
    connection: Connection, tenant_id: UUID, grant_id: UUID, reason: str
) -> None:
    """Move a pending grant to declined, and keep why."""
    await connection.write(DECLINE, tenant_id, grant_id, to_json({"decline_reason": reason}))


def _to_row(tenant_id: UUID, grant: GrantRecord) -> tuple[Any, ...]:
    values = list(_values_of(grant))
    for place in _JSON_PLACES:
        values[place] = to_json(values[place])
    return (tenant_id, *values)


def to_record(row: asyncpg.Record) -> GrantRecord:
    """Return the grant that a row with `COLUMNS` holds, in that order."""
    columns = list(row)
    columns[_SOURCE] = SOURCES[columns[_SOURCE]]
    columns[_KIND] = KINDS[columns[_KIND]]
    columns[_STATUS] = STATUSES[columns[_STATUS]]
    return GrantRecord(*columns)
