"""Changes to campaigns. Each function is one round trip."""

from __future__ import annotations

from uuid import UUID

from gateway.campaigns.model import Campaign, definition_to_json
from gateway.campaigns.store import to_campaign
from gateway.storage.database import Connection, to_json

# One who counts the active campaigns keeps others from making one active until they are done.
LOCK_ORGANIZATION = """
SELECT id FROM organizations WHERE tenant_id = $1 AND id = $2 FOR NO KEY UPDATE
"""

COUNT_ACTIVE = """
SELECT count(*) FROM campaigns WHERE tenant_id = $1 AND organization_id = $2 AND status = 'ACTIVE'
"""

INSERT = """
INSERT INTO campaigns (tenant_id, id, organization_id, name, status, event_types, definition, tier_mode, time_zone,
    budget_asset_id, starts_at, ends_at, created_at, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13)
"""

LOCK = """
SELECT id, organization_id, name, status, definition, tier_mode, time_zone, budget_asset_id, starts_at, ends_at,
    created_at, updated_at
FROM campaigns WHERE tenant_id = $1 AND organization_id = $2 AND id = $3 FOR NO KEY UPDATE
"""

UPDATE = """
UPDATE campaigns SET name = $4, status = $5, starts_at = $6, ends_at = $7, updated_at = $8
WHERE tenant_id = $1 AND organization_id = $2 AND id = $3
"""


async def lock_organization(connection: Connection, tenant_id: UUID, organization_id: UUID) -> None:
    """Keep others from making campaigns of this organization active until the database transaction ends."""
    await connection.execute(LOCK_ORGANIZATION, tenant_id, organization_id)


async def count_active(connection: Connection, tenant_id: UUID, organization_id: UUID) -> int:
    """Return how many campaigns of the organization are active."""
    count: int = await connection.fetchval(COUNT_ACTIVE, tenant_id, organization_id)
    return count


async def insert_campaign(connection: Connection, tenant_id: UUID, campaign: Campaign) -> None:
    """Write a new campaign."""
    await connection.execute(
        INSERT,
        tenant_id,
        campaign.id,
        campaign.organization_id,
        campaign.name,
        campaign.status,
        campaign.event_types,
        to_json(definition_to_json(campaign)),
        campaign.tier_mode,
        campaign.time_zone,
        campaign.budget_asset_id,
        campaign.starts_at,
        campaign.ends_at,
        campaign.created_at,
    )


async def lock_campaign(
    connection: Connection, tenant_id: UUID, organization_id: UUID, campaign_id: UUID
) -> Campaign | None:
    """Return the campaign and keep others from changing it until the database transaction ends."""
    row = await connection.fetchrow(LOCK, tenant_id, organization_id, campaign_id)
    return None if row is None else to_campaign(row)


async def update_campaign_row(connection: Connection, tenant_id: UUID, campaign: Campaign) -> None:
    """Write what may change of a campaign: its name, status and period."""
    await connection.execute(
        UPDATE,
        tenant_id,
        campaign.organization_id,
        campaign.id,
        campaign.name,
        campaign.status,
        campaign.starts_at,
        campaign.ends_at,
        campaign.updated_at,
    )
