"""Which organizations an asset's owner names as issuers. Each function is one round trip, whatever the number of assets."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from gateway.ledger.assets import AssetUse
from gateway.storage.database import Connection

FETCH_NAMED = """
SELECT organization_id, asset_id FROM asset_issuers
WHERE tenant_id = $1 AND (organization_id, asset_id) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[]))
"""

FETCH_ISSUERS = """
SELECT asset_id, organization_id FROM asset_issuers WHERE tenant_id = $1 AND asset_id = ANY($2::uuid[])
ORDER BY asset_id, organization_id
"""

FIND_UNKNOWN = """
SELECT id FROM unnest($2::uuid[]) AS given (id)
WHERE NOT EXISTS (SELECT FROM organizations WHERE tenant_id = $1 AND organizations.id = given.id)
"""

# Two changes of an owner's issuers wait for each other here, so that the last one to commit is what counts.
LOCK_OWNER = "SELECT id FROM organizations WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE"

# What is not named goes, what is named stays or comes: the two touch different rows.
REPLACE = """
WITH removed AS (
    DELETE FROM asset_issuers WHERE tenant_id = $1 AND asset_id = $2 AND organization_id <> ALL($3::uuid[])
)
INSERT INTO asset_issuers (tenant_id, asset_id, organization_id)
SELECT $1, $2, id FROM unnest($3::uuid[]) AS given (id) ORDER BY id
ON CONFLICT (tenant_id, asset_id, organization_id) DO NOTHING
"""


async def fetch_named(
    connection: Connection, tenant_id: UUID, uses: Collection[AssetUse]
) -> set[AssetUse]:
    """Return those of the uses whose organization the asset's owner names."""
    rows = await connection.fetch(
        FETCH_NAMED, tenant_id, [one for one, _ in uses], [one for _, one in uses]
    )
    return {(row["organization_id"], row["asset_id"]) for row in rows}


async def fetch_issuers(
    connection: Connection, tenant_id: UUID, asset_ids: Sequence[UUID]
) -> dict[UUID, list[UUID]]:
    """Return the organizations that each asset's owner names; every asset asked for has a list."""
    issuers: dict[UUID, list[UUID]] = {asset_id: [] for asset_id in asset_ids}
    for row in await connection.fetch(FETCH_ISSUERS, tenant_id, list(asset_ids)):
        issuers[row["asset_id"]].append(row["organization_id"])
    return issuers


async def find_unknown_organizations(
    connection: Connection, tenant_id: UUID, organization_ids: Sequence[UUID]
) -> set[UUID]:
    """Return the ids that are no organization's of the tenant."""
    rows = await connection.fetch(FIND_UNKNOWN, tenant_id, organization_ids)
    return {row["id"] for row in rows}


async def lock_owner(connection: Connection, tenant_id: UUID, organization_id: UUID) -> None:
    """Keep others from changing the issuers of this organization's assets until the database transaction ends."""
    await connection.execute(LOCK_OWNER, tenant_id, organization_id)


async def replace_issuers(
    connection: Connection, tenant_id: UUID, asset_id: UUID, organization_ids: Sequence[UUID]
) -> None:
    """Make these organizations, and no others, an asset's issuers beside its owner."""
    await connection.execute(REPLACE, tenant_id, asset_id, organization_ids)
