"""End holds whose time is over; safe with any number of workers at once.

Round trips, whatever the number of holds: lock the holds, lock their balances, write the ledger (2).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from gateway.holding import store
from gateway.holding.model import HoldRecord
from gateway.ledger.store import lock_balances, record
from gateway.storage.database import Connection, Database


async def expire_holds(database: Database, tenant_id: UUID, limit: int) -> int:
    """Release up to `limit` holds of a tenant whose time is over, and return how many that were."""

    async def lock(connection: Connection) -> Sequence[HoldRecord]:
        return await store.lock_due_holds(connection, tenant_id, limit)

    return await _expire(database, tenant_id, lock)


async def expire_hold(database: Database, tenant_id: UUID, hold_id: UUID) -> int:
    """Release one hold if its time is over and nobody else is ending it."""

    async def lock(connection: Connection) -> Sequence[HoldRecord]:
        return await store.lock_due_hold(connection, tenant_id, hold_id)

    return await _expire(database, tenant_id, lock)


async def _expire(
    database: Database,
    tenant_id: UUID,
    lock: Callable[[Connection], Awaitable[Sequence[HoldRecord]]],
) -> int:
    async def attempt(connection: Connection) -> int:
        due = await lock(connection)
        if due:
            at = due[0].read_at
            holds = [found.hold for found in due]
            book = await lock_balances(connection, tenant_id, (hold.account for hold in holds), at)
            for hold in holds:
                book.expire(hold)
            await record(connection, tenant_id, book, at)
        return len(due)

    return await database.run_transaction(attempt)
