"""Members' balances and statements, read. Each function is one round trip, whatever the number of members.

A statement is newest first: an account's entries are in the order of time as they are in that of posting. Pages are found by
index: where the page begins (search_store), one range of `limit + 1` entries for each account, then a merge of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import asyncpg

from gateway.ledger.asset_scope_store import NO_SCOPE, AssetScope, seen
from gateway.ledger.model import Account, OwnerKind, TransactionKind
from gateway.ledger.search_store import ENTRY_COLUMNS, entries_between, last_entry
from gateway.ledger.statement import (
    ALWAYS,
    EntryKey,
    EntryPlace,
    Period,
    StatementEntry,
)
from gateway.storage.database import Connection
from gateway.storage.pages import ID_HIGHEST, ID_LOWEST, Page, PageRequest, cut_page

SEQUENCE_HIGHEST = 2**63 - 1
_KINDS = {kind.value: kind for kind in TransactionKind}
_NEWEST = EntryPlace(datetime(9999, 1, 1, tzinfo=UTC), ID_HIGHEST, SEQUENCE_HIGHEST)
_OLDEST = EntryPlace(datetime(1, 1, 2, tzinfo=UTC), ID_LOWEST, 0)


def _both_ways(statement: str, place: str, newer: str, older: str, limit: str) -> dict[bool, str]:
    """Return the statement, newest first and (True) backwards, with the page of each account where it says so."""
    page, page_backwards = (
        entries_between(place, newer, older, limit, backwards=backwards)
        for backwards in (False, True)
    )
    return {
        False: statement.replace("<page>", page),
        True: statement.replace(" DESC", "").replace("<page>", page_backwards),
    }


_ALL_ASSETS = f"""
SELECT wanted.member_id, entries.*, ledger_transactions.kind
FROM unnest($2::uuid[]) AS wanted (member_id)
CROSS JOIN LATERAL (
    SELECT page.* FROM accounts CROSS JOIN LATERAL <page> AS page
    WHERE accounts.tenant_id = $1 AND owner_id = wanted.member_id AND owner_kind = 'MEMBER' AND entry_count > 0
        AND {seen("accounts.asset_id", 10)}
    ORDER BY page.occurred_at DESC, page.account_id DESC, page.sequence DESC LIMIT $9
) AS entries
JOIN ledger_transactions ON ledger_transactions.tenant_id = $1 AND ledger_transactions.id = entries.transaction_id
ORDER BY entries.occurred_at DESC, entries.account_id DESC, entries.sequence DESC
"""
ALL_ASSETS = _both_ways(
    _ALL_ASSETS, "(occurred_at, account_id, sequence)", "($3, $4, $5)", "($6, $7, $8)", "$9"
)

# Accounts are named by what they are of, so none is looked up.
_ONE_ASSET = f"""
SELECT wanted.member_id, entries.*, ledger_transactions.kind
FROM unnest($2::uuid[], $3::uuid[]) AS wanted (member_id, wanted_account_id)
CROSS JOIN LATERAL (
    SELECT {ENTRY_COLUMNS} FROM ledger_entries
    WHERE tenant_id = $1 AND account_id = wanted_account_id AND sequence < $4 AND sequence > $5
    ORDER BY sequence DESC LIMIT $6
) AS entries
JOIN ledger_transactions ON ledger_transactions.tenant_id = $1 AND ledger_transactions.id = entries.transaction_id
ORDER BY entries.sequence DESC
"""
ONE_ASSET = {False: _ONE_ASSET, True: _ONE_ASSET.replace(" DESC", "")}

# The same, between two places rather than two sequences; the account knows how many entries there are to search in.
_ONE_ASSET_BY_TIME = """
SELECT wanted.member_id, entries.*, ledger_transactions.kind
FROM unnest($2::uuid[], $3::uuid[]) AS wanted (member_id, wanted_account_id)
JOIN accounts ON accounts.tenant_id = $1 AND accounts.id = wanted_account_id
CROSS JOIN LATERAL <page> AS entries
JOIN ledger_transactions ON ledger_transactions.tenant_id = $1 AND ledger_transactions.id = entries.transaction_id
ORDER BY entries.occurred_at DESC, entries.sequence DESC
"""
ONE_ASSET_BY_TIME = _both_ways(
    _ONE_ASSET_BY_TIME, "(occurred_at, sequence)", "($4, $5)", "($6, $7)", "$8"
)

# Every entry of a bounded account counts its account up, so the accounts know.
COUNT = f"""
SELECT owner_id, sum(entry_count)::bigint FROM accounts
WHERE tenant_id = $1 AND owner_id = ANY($2::uuid[]) AND owner_kind = 'MEMBER'
    AND ($3::uuid IS NULL OR asset_id = $3) AND {seen("asset_id", 4)}
GROUP BY owner_id
"""

# Sequences have no gaps: two entries' difference is how many lie between them.
COUNT_BY_TIME = f"""
SELECT owner_id, sum(until.sequence - since.sequence)::bigint
FROM accounts
CROSS JOIN LATERAL {last_entry("occurred_at < $7")} AS until
CROSS JOIN LATERAL {last_entry("occurred_at < $6")} AS since
WHERE tenant_id = $1 AND owner_id = ANY($2::uuid[]) AND owner_kind = 'MEMBER'
    AND ($3::uuid IS NULL OR asset_id = $3) AND {seen("asset_id", 4)}
GROUP BY owner_id
"""

BY_KEY = f"""
SELECT accounts.owner_id AS member_id, entries.*, ledger_transactions.kind
FROM unnest($2::uuid[], $3::int[]) AS wanted (wanted_id, wanted_index)
CROSS JOIN LATERAL (
    SELECT {ENTRY_COLUMNS} FROM ledger_entries
    WHERE tenant_id = $1 AND transaction_id = wanted_id AND index = wanted_index
) AS entries
JOIN accounts ON accounts.tenant_id = $1 AND accounts.id = entries.account_id AND owner_kind = 'MEMBER'
JOIN ledger_transactions ON ledger_transactions.tenant_id = $1 AND ledger_transactions.id = entries.transaction_id
WHERE ($4::uuid IS NULL OR owner_id = $4) AND {seen("entries.asset_id", 5)}
"""


async def fetch_entries_pages(
    connection: Connection,
    tenant_id: UUID,
    member_ids: Sequence[UUID],
    asset_id: UUID | None,
    request: PageRequest[EntryPlace],
    period: Period = ALWAYS,
    scope: AssetScope | None = None,
) -> dict[UUID, Page[StatementEntry]]:
    """Return the same page of each member's statement: of one asset in posting order, or of all in the order of time.

    Of all, as far as the scope sees them; one that is named is taken to be seen.
    """
    newest, oldest = _bounds_of(period)
    newer = min(request.after or newest, newest)
    older = max(request.before or oldest, oldest)
    if asset_id is None:
        rows = await connection.fetch(
            ALL_ASSETS[request.backwards],
            tenant_id,
            member_ids,
            newer.occurred_at,
            newer.account_id,
            newer.sequence,
            older.occurred_at,
            older.account_id,
            older.sequence,
            request.fetch_limit,
            *(scope or NO_SCOPE),
        )
    elif period != ALWAYS:
        rows = await connection.fetch(
            ONE_ASSET_BY_TIME[request.backwards],
            tenant_id,
            member_ids,
            [Account(asset_id, OwnerKind.MEMBER, member_id).id for member_id in member_ids],
            newer.occurred_at,
            newer.sequence,
            older.occurred_at,
            older.sequence,
            request.fetch_limit,
        )
    else:
        rows = await connection.fetch(
            ONE_ASSET[request.backwards],
            tenant_id,
            member_ids,
            [Account(asset_id, OwnerKind.MEMBER, member_id).id for member_id in member_ids],
            newer.sequence,
            older.sequence,
            request.fetch_limit,
        )
    entries: dict[UUID, list[StatementEntry]] = {member_id: [] for member_id in member_ids}
    for row in rows:
        entries[row["member_id"]].append(_to_entry(row))
    return {member_id: cut_page(request, listed) for member_id, listed in entries.items()}


async def count_entries(
    connection: Connection,
    tenant_id: UUID,
    member_ids: Sequence[UUID],
    asset_id: UUID | None,
    period: Period = ALWAYS,
    scope: AssetScope | None = None,
) -> dict[UUID, int]:
    """Return how many entries each member's statement has in the scope; every member asked for has a count."""
    parameters = (tenant_id, member_ids, asset_id, *(scope or NO_SCOPE))
    if period == ALWAYS:
        rows = await connection.fetch(COUNT, *parameters)
    else:
        newest, oldest = _bounds_of(period)
        times = (oldest.occurred_at, max(oldest.occurred_at, newest.occurred_at))
        rows = await connection.fetch(COUNT_BY_TIME, *parameters, *times)
    return dict.fromkeys(member_ids, 0) | dict(map(tuple, rows))


async def fetch_entries(
    connection: Connection,
    tenant_id: UUID,
    keys: Sequence[EntryKey],
    owner_id: UUID | None,
    scope: AssetScope | None = None,
) -> dict[EntryKey, StatementEntry]:
    """Return the members' entries with these keys in the scope, of one member only unless `owner_id` is None."""
    rows = await connection.fetch(
        BY_KEY,
        tenant_id,
        [key.transaction_id for key in keys],
        [key.index for key in keys],
        owner_id,
        *(scope or NO_SCOPE),
    )
    entries = map(_to_entry, rows)
    return {entry.key: entry for entry in entries}


def _bounds_of(period: Period) -> tuple[EntryPlace, EntryPlace]:
    """Return the places, both exclusive, between which the entries of a period stand."""
    newest = _NEWEST if period.before is None else EntryPlace(period.before, ID_LOWEST, 0)
    # Every entry's sequence is above 0, so one of that very time is above this place.
    oldest = _OLDEST if period.after is None else EntryPlace(period.after, ID_LOWEST, 0)
    return newest, oldest


def _to_entry(row: asyncpg.Record) -> StatementEntry:
    """Return the entry that a row of the owner, `ENTRY_COLUMNS` and the kind holds, in that order."""
    (
        _,
        transaction_id,
        index,
        account_id,
        asset_id,
        amount,
        balance,
        sequence,
        grant_id,
        at,
        kind,
    ) = row
    return StatementEntry(
        EntryKey(transaction_id, index),
        account_id,
        asset_id,
        amount,
        balance,
        sequence,
        _KINDS[kind],
        grant_id,
        at,
    )
