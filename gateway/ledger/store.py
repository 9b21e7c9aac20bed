"""The one posting routine: lock balances in account order, and write what the book decided.

Round trips: lock_balances 1, record 1 (1 more if holds were placed, 1 more if some ended, 1 more if balances that expire changed),
whatever the number of entries.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.ledger import lot_store
from gateway.ledger.balance import Balance, Hold
from gateway.ledger.book import Book
from gateway.ledger.model import CHAIN_START, Account, HoldEnded, OwnerKind
from gateway.storage.database import Connection, column, to_json

# Zero rows first, so that accounts which do not exist yet lock too; the no-op update locks the others.
# Lock in one order: two batches that share accounts then cannot deadlock. Budgets come last: many wait for them, so
# they are not held while the batch waits for something else (docs/decisions/0025-campaign-limits-and-budgets.md).
LOCK = """
INSERT INTO accounts (tenant_id, id, asset_id, owner_kind, owner_id,
    posted_minor, held_minor, entry_count, chain_hash, updated_at, expires_after_days)
SELECT $1, wanted.id, asset_id, owner_kind, owner_id, 0, 0, 0, $6, $7, expiring.expires_after_days
FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::uuid[]) AS wanted (id, asset_id, owner_kind, owner_id)
LEFT JOIN (
    SELECT id, expires_after_days FROM assets WHERE tenant_id = $1 AND expires_after_days IS NOT NULL
) AS expiring ON expiring.id = asset_id AND owner_kind IN ('MEMBER', 'GROUP')
ORDER BY owner_kind = 'BUDGET', wanted.id
ON CONFLICT (tenant_id, id) DO UPDATE SET updated_at = accounts.updated_at
RETURNING id, posted_minor, held_minor, entry_count, chain_hash, debt_minor, expires_after_days, updated_at
"""

RECORD = """
WITH new_transactions AS (
    INSERT INTO ledger_transactions (tenant_id, id, kind, operation_id, reverses_id, description, occurred_at)
    SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::timestamptz[])
), new_events AS (
    INSERT INTO outbox_events (tenant_id, transaction_id, kind, payload, created_at)
    SELECT $1, * FROM unnest($2::uuid[], $3::text[], $8::jsonb[], $7::timestamptz[])
), new_entries AS (
    INSERT INTO ledger_entries (tenant_id, transaction_id, index, account_id, asset_id, amount_minor,
        grant_id, occurred_at, sequence, balance_after_minor, chain_hash)
    SELECT $1, * FROM unnest($9::uuid[], $10::int[], $11::uuid[], $12::uuid[], $13::bigint[],
        $14::uuid[], $15::timestamptz[], $16::bigint[], $17::bigint[], $18::bytea[])
)
UPDATE accounts SET posted_minor = moved.posted_minor, held_minor = moved.held_minor,
    entry_count = moved.entry_count, chain_hash = moved.chain_hash, debt_minor = moved.debt_minor, updated_at = greatest(accounts.updated_at, $25)
FROM unnest($19::uuid[], $20::bigint[], $21::bigint[], $22::bigint[], $23::bytea[], $24::bigint[])
    AS moved (id, posted_minor, held_minor, entry_count, chain_hash, debt_minor)
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
    connection: Connection, tenant_id: UUID, accounts: Iterable[Account], at: datetime
) -> Book:
    """Lock the bounded accounts, making those that do not exist, and open a book on them.

    Shapes: any number of accounts, repeats allowed. Round trips: one (none if there is no account).
    """
    wanted = {account.id: account for account in accounts if account.is_bounded}
    if not wanted:
        return Book({})
    ordered = sorted(wanted.values(), key=_place_in_line)
    rows = await connection.fetch(
        LOCK,
        tenant_id,
        column(ordered, "id"),
        column(ordered, "asset_id"),
        column(ordered, "owner_kind"),
        column(ordered, "owner_id"),
        CHAIN_START,
        at,
    )
    balances = {row["id"]: Balance(*row[1:7]) for row in rows}
    return Book(balances, not_before=max(row["updated_at"] for row in rows))


def _place_in_line(account: Account) -> tuple[bool, UUID]:
    return account.owner_kind is OwnerKind.BUDGET, account.id


async def record(connection: Connection, tenant_id: UUID, book: Book, at: datetime) -> None:
    """Write the book's transactions, entries, holds, balances and one outbox event per transaction.

    Raises:
        HoldEnded: a hold that the book ended had been ended by another database transaction.
    """
    # Holds first: one that another has ended is then refused as such, not as a balance that does not fit.
    if book.placed_holds:
        await _place_holds(connection, tenant_id, book.placed_holds, at)
    if book.ended_holds:
        await _end_holds(connection, tenant_id, book, at)
    transactions = book.transactions
    entries: Sequence[Sequence[Any]] = list(zip(*book.entries, strict=True)) or [()] * 10
    await connection.execute(
        RECORD,
        tenant_id,
        column(transactions, "id"),
        column(transactions, "kind"),
        column(transactions, "operation_id"),
        column(transactions, "reverses_id"),
        column(transactions, "description"),
        column(transactions, "occurred_at"),
        [to_json(transaction.payload) for transaction in transactions],
        *entries,
        list(book.touched),
        column(book.touched.values(), "posted_minor"),
        column(book.touched.values(), "held_minor"),
        column(book.touched.values(), "entry_count"),
        column(book.touched.values(), "chain_hash"),
        column(book.touched.values(), "debt_minor"),
        at,
    )
    if book.opened_lots or book.consumed_minor:
        await lot_store.keep_lots(connection, tenant_id, book.opened_lots, book.consumed_minor)


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
