"""What ends by itself, as jobs for a worker: each ends a part of what is due in one tenant and says how much that was."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias
from uuid import UUID

from gateway.expiring import store
from gateway.expiring.expire_grants import expire_grants, void_expired_codes
from gateway.expiring.expire_lots import expire_lots
from gateway.expiring.forget_tokens import forget_tokens
from gateway.holding.expiry import expire_holds
from gateway.repeats import FaultLog
from gateway.storage.database import Database

LIMIT = 500

FAULTS = FaultLog(logging.getLogger(__name__), "what is due cannot be ended")

# Any number of workers may run the same job at once: each takes what no other has locked. A job that returns its limit has more.
Job: TypeAlias = Callable[[Database, UUID, int], Awaitable[int]]

# Holds first: what they set free may be due to expire.
JOBS: Mapping[str, Job] = {
    "holds": expire_holds,
    "lots": expire_lots,
    "grants": expire_grants,
    "codes": void_expired_codes,
    "tokens": forget_tokens,
}


async def expire_due(database: Database, tenant_id: UUID, limit: int) -> int:
    """Run every job once for a tenant, each for at most `limit` things, and return how many ended in all."""
    counts = [await job(database, tenant_id, limit) for job in JOBS.values()]
    return sum(counts)


async def expire_everywhere(database: Database, limit: int = LIMIT) -> int:
    """Run every job once for each tenant in which something is due, and return how many things ended in all.

    A tenant in which that fails keeps no other waiting: it is logged, and what is left undone is still due.
    """
    async with database.connection() as connection:
        tenant_ids = await store.fetch_tenants_with_due(connection)
    count = 0
    for tenant_id in tenant_ids:
        try:
            count += await expire_due(database, tenant_id, limit)
        except Exception as fault:  # noqa: BLE001 - whatever it is, it is logged
            FAULTS.note(fault, tenant_id=str(tenant_id))
    return count
