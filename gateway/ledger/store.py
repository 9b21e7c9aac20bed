"""The one posting routine: lock balances in account order, and write what the book decided.

Round trips, whatever the number of entries: lock_balances 1, record 1 (1 more from a thousand entries on,
1 more if holds were placed, 1 more if some ended, 1 more if balances that expire changed, 1 more if something was issued
within a daily limit).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from gateway.ledger import limit_store, lot_store
from gateway.ledger.balance import Balance, Entry, Hold
from gateway.ledger.book import Book
from gateway.ledger.model import CHAIN_START, Account, HoldEnded
from gateway.storage.copying import copy_rows
from gateway.storage.database import Connection, column, to_json

# From here on, a statement of its own for the entries costs less than their columns.
COPIED_ENTRIES_MIN = 1_000
ENTRY_COLUMNS = (
    "tenant_id",
    "transaction_id",
    "index",
    "account_id",
    "asset_id",
    "amount_minor",
    "grant_id",
    "occurred_at",
    "sequence",
    "balance_after_minor",
    "chain_hash",
)

# A function of the server (storage/migrations/m2026_11_26_lock_balances.py), so that making what is missing costs no round trips.
# The order of locks: two batches that share accounts then cannot deadlock. Budgets come last: many wait for them, so they are
# not held while the batch waits for something else (docs/decisions/0025-campaign-limits-and-budgets.md).
LOCK = """
SELECT id, posted_minor, held_minor, entry_count, chain_hash, debt_minor, expires_after_days, updated_at
FROM lock_balances($1, $2, $3, $4, $5, $6, $7)
"""

RECORD = """
WITH new_transactions AS (
    INSERT INTO ledger_transactions (tenant_id, id, kind, operation_id, reverses_id, description, occurred_at, credential_id)
    SELECT $1, unnest($2::uuid[]), unnest($3::text[]), unnest($4::uuid[]), unnest($5::uuid[]), unnest($6::text[]),
        unnest($7::timestamptz[]), unnest($26::uuid[])
), new_events AS (
    INSERT INTO outbox_events (tenant_id, transaction_id, kind, payload, created_at)
    SELECT $1, unnest($2::uuid[]), unnest($3::text[]), unnest($8::jsonb[]), unnest($7::timestamptz[])
), new_entries AS (
    INSERT INTO ledger_entries (tenant_id, transaction_id, index, account_id, asset_id, amount_minor,
        grant_id, occurred_at, sequence, balance_after_minor, chain_hash)
    SELECT $1, unnest($9::uuid[]), unnest($10::int[]), unnest($11::uuid[]), unnest($12::uuid[]), unnest($13::bigint[]),
        unnest($14::uuid[]), unnest($15::timestamptz[]), unnest($16::bigint[]), unnest($17::bigint[]), unnest($18::bytea[])
)
UPDATE accounts SET posted_minor = moved.posted_minor, held_minor = moved.held_minor, entry_count = moved.entry_count,
    chain_hash = moved.chain_hash, debt_minor = moved.debt_minor, updated_at = greatest(accounts.updated_at, $25)
FROM (
    SELECT unnest($19::uuid[]) AS id, unnest($20::bigint[]) AS posted_minor, unnest($21::bigint[]) AS held_minor,
        unnest($22::bigint[]) AS entry_count, unnest($23::bytea[]) AS chain_hash, unnest($24::bigint[]) AS debt_minor
) AS moved
WHERE accounts.tenant_id = $1 AND accounts.id = moved.id
"""

PLACE_HOLDS = """
INSERT INTO holds (tenant_id, id, account_id, operation_id, amount_minor, status, created_at, expires_at)
SELECT $1, id, account_id, operation_id, amount_minor, 'OPEN', $6, expires_at
FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $7::timestamptz[])
    AS placed (id, account_id, operation_id, amount_minor, expires_at)
"""

# Guarded by the status, so that a hold ends once whoever comes second.
END_HOLDS = """
UPDATE holds SET status = ended.status, ended_at = $4
FROM unnest($2::uuid[], $3::text[]) AS ended (id, status)
WHERE holds.tenant_id = $1 AND holds.id = ended.id AND holds.status = 'OPEN'
RETURNING holds.id
"""


async def lock_balances(
    connection: Connection,
    tenant_id: UUID,
    accounts: Iterable[Account],
    at: datetime,
    limited_credential_id: UUID | None = None,
) -> Book:
    """Lock the bounded accounts, making those that do not exist, and open a book on them.

    Shapes: any number of accounts, repeats allowed. Round trips: one, none if there is no account; one more if a credential's
    daily limits hold.
    """
    limits = None
    if limited_credential_id is not None:
        limits = await limit_store.lock_limits(connection, tenant_id, limited_credential_id, at)
    wanted = {account.id: account for account in accounts if account.is_bounded}
    if not wanted:
        return Book({}, limits=limits)
    made = wanted.values()
    rows = await connection.fetch(
        LOCK,
        tenant_id,
        list(wanted),
        column(made, "asset_id"),
        column(made, "owner_kind"),
        column(made, "owner_id"),
        CHAIN_START,
        at,
    )
    balances = {row[0]: Balance(*row[1:7]) for row in map(tuple, rows)}
    return Book(balances, max([row["updated_at"] for row in rows]), limits)


class Beside(NamedTuple):
    """An insert that travels in the statement of the ledger: its text, with parameters from $27 on, and their values."""

    statement: str
    values: Sequence[Any]


async def record(
    connection: Connection,
    tenant_id: UUID,
    book: Book,
    at: datetime,
    beside: Beside | None = None,
) -> None:
    """Write the book's transactions, entries, holds, balances and one outbox event per transaction; and what is beside it.

    Raises:
        HoldEnded: a hold that the book ended had been ended by another database transaction.
    """
    # Holds first: one that another has ended is then refused as such, not as a balance that does not fit.
    if book.limits is not None and book.limits.has_changed:
        await limit_store.write_used(connection, tenant_id, book.limits)
    if book.placed_holds:
        await _place_holds(connection, tenant_id, book.placed_holds, at)
    if book.ended_holds:
        await _end_holds(connection, tenant_id, book, at)
    entries = book.entries
    if len(entries) >= COPIED_ENTRIES_MIN:
        await _copy_entries(connection, tenant_id, entries)
        entries = []
    transactions = book.transactions
    ids, kinds, operation_ids, times, payloads, descriptions, reversed_ids, credential_ids = (
        zip(*transactions, strict=True) if transactions else [()] * 8
    )
    await connection.write(
        RECORD if beside is None else _with_beside(beside.statement),
        tenant_id,
        ids,
        kinds,
        operation_ids,
        reversed_ids,
        descriptions,
        times,
        [to_json(payload) for payload in payloads],
        *(zip(*entries, strict=True) if entries else [()] * 10),
        *_balance_columns(book.touched),
        # Not before any of its entries, which may be dated later than the batch began: the next batch asks for it.
        book.date(at),
        credential_ids,
        *(beside.values if beside else ()),
    )
    if book.opened_lots or book.consumed_minor:
        await lot_store.keep_lots(connection, tenant_id, book.opened_lots, book.consumed_minor)


@cache
def _with_beside(statement: str) -> str:
    return RECORD.replace("WITH ", f"WITH beside AS ({statement}), ", 1)


def _balance_columns(touched: Mapping[UUID, Balance]) -> tuple[Sequence[Any], ...]:
    balances = list(touched.values())
    return (
        list(touched),
        [balance.posted_minor for balance in balances],
        [balance.held_minor for balance in balances],
        [balance.entry_count for balance in balances],
        [balance.chain_hash for balance in balances],
        [balance.debt_minor for balance in balances],
    )


async def _copy_entries(connection: Connection, tenant_id: UUID, entries: Sequence[Entry]) -> None:
    """Write many entries at the least cost; while the server takes in the first, the driver encodes the next."""
    rows = ((tenant_id, *entry) for entry in entries)
    await copy_rows(connection, "ledger_entries", ENTRY_COLUMNS, rows)


async def _place_holds(
    connection: Connection, tenant_id: UUID, holds: Sequence[Hold], at: datetime
) -> None:
    await connection.execute(
        PLACE_HOLDS,
        tenant_id,
        column(holds, "id"),
        [hold.account.id for hold in holds],
        column(holds, "operation_id"),
        column(holds, "amount_minor"),
        at,
        column(holds, "expires_at"),
    )


async def _end_holds(connection: Connection, tenant_id: UUID, book: Book, at: datetime) -> None:
    ended = await connection.fetch(
        END_HOLDS, tenant_id, list(book.ended_holds), list(book.ended_holds.values()), at
    )
    if len(ended) != len(book.ended_holds):
        raise HoldEnded("The hold has ended before.")
