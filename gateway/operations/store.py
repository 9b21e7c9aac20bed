"""Idempotency rows: claim, read back, complete, release. Each function is one round trip, whatever the number of keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from gateway.access import Caller
from gateway.operations.model import Operation, OperationKind, Request, RequestInProgress
from gateway.storage.database import Connection, to_json
from gateway.storage.parameters import count_parameters, shift_parameters

CLAIM = """
INSERT INTO operations (tenant_id, partner_id, organization_id, credential_id, kind, key, id, field_hashes, answer, created_at)
SELECT $1, $2, $3, $4, kind, key, id, field_hashes, answer, now()
FROM (
    SELECT unnest($5::text[]) AS kind, unnest($6::text[]) AS key, unnest($7::uuid[]) AS id,
        unnest($8::jsonb[]) AS field_hashes, unnest($9::jsonb[]) AS answer
) AS claimed
ORDER BY kind, key
ON CONFLICT (tenant_id, partner_id, kind, key) DO NOTHING
RETURNING id, created_at
"""

# now() is the time of the claims too: it does not move within a database transaction. The aggregate sees to it that the clock
# is read when all is claimed.
CLAIM_AND_READ = f"""
WITH claimed AS ({CLAIM})
SELECT claims.*, now() AS claimed_at, reading.*
FROM (
    SELECT array_agg(id) AS claimed_ids, clock_timestamp() - statement_timestamp() AS reading_age FROM claimed
) AS claims, ({{reading}}) AS reading
"""

FETCH = """
SELECT kind, key, id, organization_id, field_hashes, answer, created_at, fenced_at, credential_id FROM operations
WHERE tenant_id = $1 AND partner_id = $2 AND (kind, key) IN (SELECT * FROM unnest($3::text[], $4::text[]))
"""

COMPLETE = """
UPDATE operations SET answer = completed.answer
FROM unnest($3::text[], $4::text[], $5::jsonb[]) AS completed (kind, key, answer)
WHERE tenant_id = $1 AND partner_id = $2 AND operations.kind = completed.kind AND operations.key = completed.key
"""

# By id too: a key is freed only by the request that holds it, and only in the database transaction that claimed it, which is
# why it is a function of the server (storage/migrations/m2026_12_01_privileges.py): the application cannot delete operations.
RELEASE = """
SELECT release_keys($1, $2, $3, $4, $5)
"""

FENCE = """
UPDATE operations SET fenced_at = $5
WHERE tenant_id = $1 AND partner_id = $2 AND kind = $3 AND key = $4 AND answer IS NULL
"""


class Reading(NamedTuple):
    """A read that travels in the statement of the claim: a SELECT of one row, whose $1 is the tenant; and its other parameters."""

    statement: str
    values: Sequence[Any]


async def claim_keys(
    connection: Connection, caller: Caller, requests: Sequence[Request]
) -> dict[UUID, Operation]:
    """Insert the keys that are free and return them by operation id; wait for others' uncommitted claims.

    Raises:
        RequestInProgress: another request still holds one of the keys after the lock time-out.
    """
    rows = await _claim(connection, CLAIM, caller, requests)
    return {
        row["id"]: Operation(row["id"], row["created_at"], caller.credential_id) for row in rows
    }


async def claim_keys_and_read(
    connection: Connection, caller: Caller, requests: Sequence[Request], reading: Reading
) -> tuple[dict[UUID, Operation], asyncpg.Record]:
    """Claim keys as `claim_keys` does, and return what is read beside them as it was when the statement began.

    The row's `reading_age` is how long ago that was when the keys were claimed: a statement reads what was committed when it
    began, however long it then waits.

    Raises:
        RequestInProgress: another request still holds one of the keys after the lock time-out.
    """
    statement = _with_reading(reading.statement)
    (row,) = await _claim(connection, statement, caller, requests, *reading.values)
    claimed = {
        id_: Operation(id_, row["claimed_at"], caller.credential_id)
        for id_ in row["claimed_ids"] or ()
    }
    return claimed, row


async def read(connection: Connection, caller: Caller, reading: Reading) -> asyncpg.Record:
    """Return what a reading finds now."""
    row: asyncpg.Record
    (row,) = await connection.fetch(reading.statement, caller.tenant_id, *reading.values)
    return row


async def _claim(
    connection: Connection,
    statement: str,
    caller: Caller,
    requests: Sequence[Request],
    *values: Any,
) -> list[asyncpg.Record]:
    # Whatever that waits for, it is not a key.
    await connection.send_written()
    try:
        return await connection.fetch(
            statement,
            caller.tenant_id,
            caller.partner_id,
            caller.organization_id,
            caller.credential_id,
            [request.kind for request in requests],
            [request.key for request in requests],
            [request.operation_id for request in requests],
            [to_json(request.field_hashes()) for request in requests],
            [_to_answer(request.expected_answer) for request in requests],
            *values,
        )
    except asyncpg.LockNotAvailableError as error:
        message = "A request with this key is still running; ask again shortly."
        raise RequestInProgress(message) from error


@cache
def _with_reading(statement: str) -> str:
    """Return the claim with the reading in it, whose parameters after the tenant then follow the claim's."""
    reading = shift_parameters(statement, count_parameters(CLAIM) - 1)
    return CLAIM_AND_READ.format(reading=reading)


async def fetch_operations(
    connection: Connection, caller: Caller, keys: Sequence[tuple[OperationKind, str]]
) -> dict[tuple[OperationKind, str], asyncpg.Record]:
    """Return the stored operations of these keys that exist, by kind and key."""
    rows = await connection.fetch(
        FETCH,
        caller.tenant_id,
        caller.partner_id,
        [kind for kind, _ in keys],
        [key for _, key in keys],
    )
    return {(OperationKind(row["kind"]), row["key"]): row for row in rows}


async def complete(
    connection: Connection, caller: Caller, answers: Sequence[tuple[Request, Any]]
) -> None:
    """Store each answer beside its key."""
    await connection.write(
        COMPLETE,
        caller.tenant_id,
        caller.partner_id,
        [request.kind for request, _ in answers],
        [request.key for request, _ in answers],
        [to_json(answer) for _, answer in answers],
    )


async def release(connection: Connection, caller: Caller, requests: Sequence[Request]) -> None:
    """Free the keys of requests that had no effect, so that they may be used again."""
    await connection.write(
        RELEASE,
        caller.tenant_id,
        caller.partner_id,
        [request.kind for request in requests],
        [request.key for request in requests],
        [request.operation_id for request in requests],
    )


async def fence(
    connection: Connection, caller: Caller, request: Request, operation: Operation
) -> None:
    """Mark a key that this database transaction has claimed as one that nothing may be done under."""
    await connection.write(
        FENCE, caller.tenant_id, caller.partner_id, request.kind, request.key, operation.at
    )


def _to_answer(answer: Any) -> str | None:
    return None if answer is None else to_json(answer)
