"""Reservations: written, locked, read; each function is one round trip, whatever the number of holds."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from gateway.access import Caller
from gateway.holding.model import HoldRecord, HoldStatus
from gateway.storage.count_store import count_each_up_to_max
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds
from gateway.visibility import visible_to

_STATUS = "CASE WHEN holds.status = 'OPEN' AND holds.expires_at <= now() THEN 'EXPIRED' ELSE holds.status END"
_COLUMNS = f"""
reservations.id, organization_id, member_id, accounts.asset_id, holds.amount_minor, {_STATUS} AS status,
    captured_minor, reason, holds.created_at, expires_at, ended_at, transaction_id,
    operation_id, now() AS read_at
"""
_JOINED = """
reservations
JOIN holds ON holds.tenant_id = $1 AND holds.id = reservations.id
JOIN accounts ON accounts.tenant_id = $1 AND accounts.id = holds.account_id
"""

INSERT = """
INSERT INTO reservations (tenant_id, id, organization_id, member_id, reason) VALUES ($1, $2, $3, $4, $5)
"""

LOCK = f"""
SELECT {_COLUMNS} FROM {_JOINED}
WHERE reservations.tenant_id = $1 AND reservations.id = $2 AND organization_id = $3
FOR UPDATE OF holds
"""

# A due hold that somebody is just ending is left to them.
_DUE = f"""
SELECT {_COLUMNS} FROM {_JOINED}
WHERE reservations.tenant_id = $1 AND holds.tenant_id = $1 AND holds.status = 'OPEN' AND expires_at <= now()
"""
LOCK_DUE = f"{_DUE} ORDER BY expires_at, holds.id LIMIT $2 FOR UPDATE OF holds SKIP LOCKED"
LOCK_DUE_OF_ACCOUNT = (
    f"{_DUE} AND holds.account_id = $2 ORDER BY holds.id FOR UPDATE OF holds SKIP LOCKED"
)
LOCK_DUE_HOLD = f"{_DUE} AND holds.id = $2 FOR UPDATE OF holds SKIP LOCKED"

CAPTURE = """
UPDATE reservations SET captured_minor = $3, transaction_id = $4 WHERE tenant_id = $1 AND id = $2
"""

# $2 and $3 are what the caller may see: a partner its organization's holds, a member their own.
_VISIBLE = """
reservations.tenant_id = $1 AND ($2::uuid IS NULL OR organization_id = $2) AND ($3::uuid IS NULL OR member_id = $3)
"""

FETCH = f"""
SELECT {_COLUMNS} FROM {_JOINED} WHERE {_VISIBLE} AND reservations.id = ANY($4::uuid[])
"""

_PAGES = f"""
SELECT listed.*
FROM unnest($4::uuid[]) AS wanted (wanted_member_id)
CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM {_JOINED}
    WHERE {_VISIBLE} AND member_id = wanted_member_id AND ($5::text[] IS NULL OR {_STATUS} = ANY($5))
        AND reservations.id < $6 AND reservations.id > $7
    ORDER BY reservations.id DESC LIMIT $8
) AS listed
ORDER BY listed.id DESC
"""
PAGES = {False: _PAGES, True: _PAGES.replace(" DESC", "")}

COUNTS = count_each_up_to_max(
    f"{_JOINED} WHERE {_VISIBLE} AND member_id = wanted.id AND ($5::text[] IS NULL OR {_STATUS} = ANY($5))",
    "$4",
)

Statuses = tuple[HoldStatus, ...] | None


async def insert_reservation(
    connection: Connection, caller: Caller, hold_id: UUID, member_id: UUID, reason: str | None
) -> None:
    """Keep whose hold this is, and why."""
    await connection.execute(
        INSERT, caller.tenant_id, hold_id, caller.organization_id, member_id, reason
    )


async def lock_hold(
    connection: Connection, caller: Caller, hold_id: UUID | None
) -> HoldRecord | None:
    """Return the hold of the caller's organization, locked until the database transaction ends; None if there is none."""
    row = await connection.fetchrow(LOCK, caller.tenant_id, hold_id, caller.organization_id)
    return None if row is None else _to_record(row)


async def lock_due_holds(connection: Connection, tenant_id: UUID, limit: int) -> list[HoldRecord]:
    """Lock up to `limit` open holds whose time is over, the longest over first, passing over those that others have locked."""
    return [_to_record(row) for row in await connection.fetch(LOCK_DUE, tenant_id, limit)]


async def lock_due_hold(connection: Connection, tenant_id: UUID, hold_id: UUID) -> list[HoldRecord]:
    """Lock one hold if it is open, its time is over and nobody else has it."""
    return [_to_record(row) for row in await connection.fetch(LOCK_DUE_HOLD, tenant_id, hold_id)]


async def lock_due_holds_of(
    connection: Connection, tenant_id: UUID, account_id: UUID
) -> list[HoldRecord]:
    """Lock an account's open holds whose time is over; waits for nobody, so the account itself may be locked already."""
    rows = await connection.fetch(LOCK_DUE_OF_ACCOUNT, tenant_id, account_id)
    return [_to_record(row) for row in rows]


async def mark_captured(
    connection: Connection,
    tenant_id: UUID,
    hold_id: UUID,
    captured_minor: int,
    transaction_id: UUID,
) -> None:
    """Keep what was taken of a hold, and by which transaction."""
    await connection.execute(CAPTURE, tenant_id, hold_id, captured_minor, transaction_id)


async def fetch_holds(
    connection: Connection, caller: Caller, ids: Sequence[UUID]
) -> dict[UUID, HoldRecord]:
    """Return the holds of these ids that the caller may see, by id."""
    rows = await connection.fetch(FETCH, caller.tenant_id, *visible_to(caller), list(ids))
    return {row["id"]: _to_record(row) for row in rows}


async def fetch_hold_pages(
    connection: Connection,
    caller: Caller,
    member_ids: Sequence[UUID],
    statuses: Statuses,
    request: PageRequest[UUID],
) -> dict[UUID, Page[HoldRecord]]:
    """Return the same page of each member's holds, newest first, as far as the caller may see them."""
    rows = await connection.fetch(
        PAGES[request.backwards],
        caller.tenant_id,
        *visible_to(caller),
        list(member_ids),
        statuses,
        *id_bounds(request),
        request.fetch_limit,
    )
    listed: dict[UUID, list[HoldRecord]] = {member_id: [] for member_id in member_ids}
    for row in rows:
        listed[row["member_id"]].append(_to_record(row))
    return {member_id: cut_page(request, found) for member_id, found in listed.items()}


async def count_holds(
    connection: Connection, caller: Caller, member_ids: Sequence[UUID], statuses: Statuses
) -> dict[UUID, int]:
    """Return how many holds of each member the caller may see; every member asked for has a count."""
    rows = await connection.fetch(
        COUNTS, caller.tenant_id, *visible_to(caller), list(member_ids), statuses
    )
    return dict.fromkeys(member_ids, 0) | dict(map(tuple, rows))


def _to_record(row: asyncpg.Record) -> HoldRecord:
    return HoldRecord(**{**row, "status": HoldStatus(row["status"])})
