"""Credentials in the database. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from gateway.access import Scope
from gateway.storage.database import Connection
from gateway.text import to_name_key


@dataclass(frozen=True, slots=True)
class Credential:
    """A token's record, without its secret.

    `previous_until` is until when the token before the last rotation is good as well. `created_by` is the credential that made this one:
    if that is revoked, both end.
    """

    id: UUID
    organization_id: UUID
    partner_id: UUID
    member_id: UUID | None
    label: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None = None
    reach: frozenset[UUID] = frozenset()
    previous_until: datetime | None = None
    last_used_at: datetime | None = None
    till_id: UUID | None = None
    created_by: UUID | None = None


# Of an organization and a member of this tenant, or nothing is inserted.
INSERT = """
INSERT INTO credentials (tenant_id, id, organization_id, partner_id, member_id, label, scopes, secret_hash,
    created_at, expires_at, reach, till_id, created_by)
SELECT $1, $2, $3, $4, $5, $6, $7::text[], $8, $9, $10, $11::uuid[], $12, $13
WHERE EXISTS (SELECT FROM organizations WHERE tenant_id = $1 AND id = $3)
    AND ($5::uuid IS NULL OR EXISTS (SELECT FROM members WHERE tenant_id = $1 AND id = $5))
RETURNING id
"""

# The database's clock decides, so that every gateway agrees on when a token ends.
FETCH_ACTIVE = """
SELECT credentials.id, credentials.organization_id, partner_id, member_id, scopes, reach, secret_hash,
    CASE WHEN previous_until > now() THEN previous_secret_hash END AS previous_secret_hash,
    points_asset_id, experience_asset_id, cash_asset_id, till_id, tills.name AS till_name, name_key AS till_name_key,
    EXISTS (SELECT FROM credential_limits AS limits
        WHERE limits.tenant_id = $1 AND limits.credential_id = credentials.id) AS has_daily_limits
FROM credentials JOIN tenants ON tenants.id = credentials.tenant_id
LEFT JOIN tills ON tills.tenant_id = credentials.tenant_id AND tills.id = till_id
WHERE credentials.tenant_id = $1 AND credentials.id = ANY($2::uuid[]) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
    AND (created_by IS NULL OR NOT EXISTS (SELECT FROM credentials AS maker
        WHERE maker.tenant_id = $1 AND maker.id = credentials.created_by AND maker.revoked_at IS NOT NULL))
"""

FETCH_ALL = """
SELECT id, organization_id, partner_id, member_id, label, scopes, created_at, expires_at, revoked_at, reach,
    previous_until, last_used_at, till_id, created_by
FROM credentials
WHERE tenant_id = $1 AND (created_by IS NULL OR (revoked_at IS NULL AND expires_at > now())) ORDER BY id
"""

HAS = "SELECT EXISTS (SELECT FROM credentials WHERE tenant_id = $1 AND id = $2)"

REVOKE = """
UPDATE credentials SET revoked_at = coalesce(revoked_at, $3) WHERE tenant_id = $1 AND id = $2
RETURNING id
"""


# The token before the one that is replaced, if it is still good, would end unannounced: that takes an overlap of nothing.
ROTATE = """
UPDATE credentials SET secret_hash = $3, expires_at = coalesce($5, expires_at),
    previous_secret_hash = CASE WHEN $4 > interval '0' THEN secret_hash END,
    previous_until = CASE WHEN $4 > interval '0' THEN least(now() + $4, expires_at) END
WHERE tenant_id = $1 AND id = $2 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())
    AND (previous_until IS NULL OR previous_until <= now() OR $4 = interval '0')
RETURNING previous_until, expires_at
"""

# Locked in one order, and never waited for: processes that count the same credentials cannot hold each other up.
RECORD_USE = """
UPDATE credentials SET last_used_at = used.at
FROM (
    SELECT credentials.tenant_id, credentials.id, seen.at
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[]) AS seen (tenant_id, id, at)
    JOIN credentials ON credentials.tenant_id = seen.tenant_id AND credentials.id = seen.id
    WHERE last_used_at IS NULL OR last_used_at < seen.at
    ORDER BY credentials.tenant_id, credentials.id
    FOR NO KEY UPDATE OF credentials SKIP LOCKED
) AS used
WHERE credentials.tenant_id = used.tenant_id AND credentials.id = used.id
"""


FIND_TILL = """
SELECT id FROM tills WHERE tenant_id = $1 AND organization_id = $2 AND name_key = $3
"""


async def insert_credential(
    connection: Connection, tenant_id: UUID, credential: Credential, secret_hash: bytes
) -> bool:
    """Insert a credential and return True; False if its organization or member is not in the tenant."""
    inserted = await connection.fetchval(
        INSERT,
        tenant_id,
        credential.id,
        credential.organization_id,
        credential.partner_id,
        credential.member_id,
        credential.label,
        sorted(credential.scopes),
        secret_hash,
        credential.created_at,
        credential.expires_at,
        sorted(credential.reach),
        credential.till_id,
        credential.created_by,
    )
    return inserted is not None


async def fetch_active_credentials(
    connection: Connection, tenant_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, asyncpg.Record]:
    """Return what credentials may do and the hashes of their secrets, by id; without those unknown, expired or revoked."""
    rows = await connection.fetch(FETCH_ACTIVE, tenant_id, ids)
    return {row["id"]: row for row in rows}


async def fetch_credentials(connection: Connection, tenant_id: UUID) -> Sequence[Credential]:
    """Return the credentials of the tenant, oldest first; of those made at run time only the ones that have not ended."""
    return [
        Credential(
            **{
                **row,
                "scopes": frozenset(map(Scope, row["scopes"])),
                "reach": frozenset(row["reach"]),
            }
        )
        for row in await connection.fetch(FETCH_ALL, tenant_id)
    ]


async def has_credential(connection: Connection, tenant_id: UUID, credential_id: UUID) -> bool:
    """Tell whether the tenant has the credential."""
    found: bool = await connection.fetchval(HAS, tenant_id, credential_id)
    return found


async def revoke_credential(
    connection: Connection, tenant_id: UUID, credential_id: UUID, at: datetime
) -> bool:
    """End a credential now, unless it ended before; False if there is none."""
    return await connection.fetchval(REVOKE, tenant_id, credential_id, at) is not None


async def rotate_credential(
    connection: Connection,
    tenant_id: UUID,
    credential_id: UUID,
    secret_hash: bytes,
    overlap: timedelta,
    expires_at: datetime | None,
) -> asyncpg.Record | None:
    """Put a new token in the place of the current one, which stays good for the overlap.

    Returns until when it does, and when the credential ends; None if there is no such credential, it has ended, or two of its
    tokens are good already and the overlap is not nothing.
    """
    return await connection.fetchrow(
        ROTATE, tenant_id, credential_id, secret_hash, overlap, expires_at
    )


async def record_use(connection: Connection, used: Sequence[tuple[UUID, UUID, datetime]]) -> None:
    """Record when credentials, by tenant and id, were last used; one that another transaction is changing keeps its time."""
    tenant_ids, ids, times = zip(*used, strict=True)
    await connection.execute(RECORD_USE, tenant_ids, ids, times)


async def find_till(
    connection: Connection, tenant_id: UUID, organization_id: UUID, name: str
) -> UUID | None:
    """Return the till of an organization that has this name, or None."""
    till_id: UUID | None = await connection.fetchval(
        FIND_TILL, tenant_id, organization_id, to_name_key(name)
    )
    return till_id
