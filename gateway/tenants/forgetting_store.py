"""Credentials that are not kept any more. Each function is one round trip."""

from __future__ import annotations

from uuid import UUID

from gateway.storage.database import Connection

# The policy `credentials_are_forgotten` allows no other rows. One with daily limits, of which a member's token has no use, stays.
FORGET = """
DELETE FROM credentials WHERE tenant_id = $1 AND id IN (
    SELECT id FROM credentials
    WHERE tenant_id = $1 AND created_by IS NOT NULL AND member_id IS NOT NULL AND expires_at < now() - interval '30 days'
        AND NOT EXISTS (SELECT FROM credential_limits AS limits
            WHERE limits.tenant_id = $1 AND limits.credential_id = credentials.id)
    ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
"""


async def forget_ended(connection: Connection, tenant_id: UUID, limit: int) -> int:
    """Delete up to `limit` members' tokens that partners made and that ended a month ago; return how many that were."""
    done = await connection.execute(FORGET, tenant_id, limit)
    return int(done.rpartition(" ")[2])
