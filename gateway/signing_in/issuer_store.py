"""Issuers in the database. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from gateway.access import StandardAssets
from gateway.signing_in.issuer import Issuer
from gateway.storage.database import Connection

_COLUMNS = "id, organization_id, url, audience, jwks_url, member_claim, created_at, removed_at"

INSERT = f"""
INSERT INTO issuers (tenant_id, {_COLUMNS})
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9
WHERE EXISTS (SELECT FROM organizations WHERE tenant_id = $1 AND id = $3)
RETURNING id
"""

FETCH = f"SELECT {_COLUMNS} FROM issuers WHERE tenant_id = $1 ORDER BY id"

REMOVE = """
UPDATE issuers SET removed_at = coalesce(removed_at, now()) WHERE tenant_id = $1 AND id = $2 RETURNING id
"""

# Across tenants, since it is the token that says whose it is.
FETCH_ALL = f"""
SELECT tenants.id AS tenant_id, points_asset_id, experience_asset_id, cash_asset_id, issuer.*
FROM tenants JOIN (SELECT tenant_id, {_COLUMNS} FROM issuers WHERE removed_at IS NULL) AS issuer
    ON issuer.tenant_id = tenants.id
"""


class IssuerTaken(Exception):
    """Another issuer, of whichever tenant, has this address and audience."""


async def insert_issuer(connection: Connection, tenant_id: UUID, issuer: Issuer) -> bool:
    """Write an issuer; False if its organization is not in the tenant.

    Raises:
        IssuerTaken: its tokens would mean two issuers.
    """
    try:
        inserted = await connection.fetchval(
            INSERT,
            tenant_id,
            issuer.id,
            issuer.organization_id,
            issuer.url,
            issuer.audience,
            issuer.jwks_url,
            issuer.member_claim,
            issuer.created_at,
            issuer.removed_at,
        )
    except asyncpg.UniqueViolationError as error:
        raise IssuerTaken from error
    return inserted is not None


async def fetch_issuers(connection: Connection, tenant_id: UUID) -> Sequence[Issuer]:
    """Return every issuer of the tenant, removed ones too, oldest first."""
    return [Issuer(**row) for row in await connection.fetch(FETCH, tenant_id)]


async def remove_issuer(connection: Connection, tenant_id: UUID, issuer_id: UUID) -> bool:
    """Remove an issuer, unless it was removed before; False if there is none."""
    return await connection.fetchval(REMOVE, tenant_id, issuer_id) is not None


async def fetch_all_issuers(
    connection: Connection,
) -> Sequence[tuple[UUID, StandardAssets, Issuer]]:
    """Return every tenant's issuers that were not removed, with the tenant and its standard assets."""
    return [
        (
            row["tenant_id"],
            StandardAssets(
                row["points_asset_id"], row["experience_asset_id"], row["cash_asset_id"]
            ),
            _to_issuer(row),
        )
        for row in await connection.fetch(FETCH_ALL)
    ]


def _to_issuer(row: asyncpg.Record) -> Issuer:
    created_at: datetime = row["created_at"]
    return Issuer(
        row["id"],
        row["organization_id"],
        row["url"],
        row["audience"],
        row["jwks_url"],
        row["member_claim"],
        created_at,
    )
