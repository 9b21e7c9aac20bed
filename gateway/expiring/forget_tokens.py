"""Job: forget members' tokens that ended long ago, of which every sign-in has left one."""

from __future__ import annotations

from uuid import UUID

from gateway.storage.database import Database
from gateway.tenants.forgetting_store import forget_ended


async def forget_tokens(database: Database, tenant_id: UUID, limit: int) -> int:
    """Delete up to `limit` of them and return how many that were; one round trip."""
    async with database.connection() as connection:
        return await forget_ended(connection, tenant_id, limit)
