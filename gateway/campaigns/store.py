"""Campaigns as they are read. Each function is one round trip, whatever the number of campaigns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import asyncpg

from gateway.campaigns.model import Campaign, CampaignStatus, TierMode, definition_from_json
from gateway.ledger.model import Account
from gateway.storage.count_store import count_up_to_max
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds

ACTIVE_CAMPAIGNS_MAX = 100
EXPLAINED_MAX = 200

_COLUMNS = """
    id, organization_id, name, status, definition, tier_mode, time_zone, budget_asset_id, starts_at, ends_at,
    created_at, updated_at
"""

FETCH = f"""
SELECT {_COLUMNS} FROM campaigns WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($3::uuid[])
"""

LISTENING = f"""
SELECT {_COLUMNS} FROM campaigns
WHERE tenant_id = $1 AND organization_id = $2 AND status = 'ACTIVE' AND $3 = ANY(event_types)
ORDER BY id
"""

EXPLAINED = f"""
SELECT {_COLUMNS} FROM campaigns
WHERE tenant_id = $1 AND organization_id = $2 AND (status = 'ACTIVE' OR $3 = ANY(event_types))
ORDER BY status, id DESC LIMIT $4
"""

_FILTERED = "tenant_id = $1 AND organization_id = $2 AND ($3::text[] IS NULL OR status = ANY($3))"
_PAGE = f"SELECT {_COLUMNS} FROM campaigns WHERE {_FILTERED} AND id < $4 AND id > $5 "
PAGES = {False: f"{_PAGE} ORDER BY id DESC LIMIT $6", True: f"{_PAGE} ORDER BY id LIMIT $6"}

COUNT = count_up_to_max(f"campaigns WHERE {_FILTERED}")

COUNT_GRANTS = """
SELECT details ->> 'campaign_id' AS campaign_id, count(*) AS grant_count, count(DISTINCT member_id) AS member_count
FROM grants
WHERE tenant_id = $1 AND details ->> 'campaign_id' = ANY($2::text[]) AND details ->> 'campaign_id' IS NOT NULL
    AND status <> 'REVERSED'
GROUP BY 1
"""

BALANCES = """
SELECT id, posted_minor - held_minor AS available FROM accounts WHERE tenant_id = $1 AND id = ANY($2::uuid[])
"""


async def fetch_campaigns(
    connection: Connection, tenant_id: UUID, organization_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, Campaign]:
    """Return the organization's campaigns that exist among these ids, by id."""
    rows = await connection.fetch(FETCH, tenant_id, organization_id, list(ids))
    return {row["id"]: to_campaign(row) for row in rows}


async def fetch_listening(
    connection: Connection, tenant_id: UUID, organization_id: UUID, event_type: str
) -> list[Campaign]:
    """Return the organization's active campaigns that listen for this type of event, oldest first."""
    rows = await connection.fetch(LISTENING, tenant_id, organization_id, event_type)
    return [to_campaign(row) for row in rows]


async def fetch_explained(
    connection: Connection, tenant_id: UUID, organization_id: UUID, event_type: str
) -> list[Campaign]:
    """Return the active campaigns, and the inactive ones that listen for this type of event; at most 200."""
    rows = await connection.fetch(EXPLAINED, tenant_id, organization_id, event_type, EXPLAINED_MAX)
    return sorted(map(to_campaign, rows), key=lambda campaign: campaign.id)


async def fetch_campaign_page(
    connection: Connection,
    tenant_id: UUID,
    organization_id: UUID,
    statuses: Sequence[CampaignStatus] | None,
    request: PageRequest[UUID],
) -> Page[Campaign]:
    """Return a page of the organization's campaigns, newest first."""
    rows = await connection.fetch(
        PAGES[request.backwards],
        tenant_id,
        organization_id,
        statuses,
        *id_bounds(request),
        request.fetch_limit,
    )
    return cut_page(request, [to_campaign(row) for row in rows])


async def count_campaigns(
    connection: Connection,
    tenant_id: UUID,
    organization_id: UUID,
    statuses: Sequence[CampaignStatus] | None,
) -> int:
    """Return how many campaigns the organization has in these states."""
    count: int = await connection.fetchval(COUNT, tenant_id, organization_id, statuses)
    return count


async def count_campaign_grants(
    connection: Connection, tenant_id: UUID, campaign_ids: Sequence[UUID]
) -> dict[UUID, tuple[int, int]]:
    """Return how many grants each campaign made, and to how many members; reversed ones left out."""
    rows = await connection.fetch(COUNT_GRANTS, tenant_id, list(map(str, campaign_ids)))
    counts = {UUID(row["campaign_id"]): (row["grant_count"], row["member_count"]) for row in rows}
    return dict.fromkeys(campaign_ids, (0, 0)) | counts


async def fetch_available(
    connection: Connection, tenant_id: UUID, accounts: Iterable[Account]
) -> dict[UUID, int]:
    """Return what each account can spend, by account id, in minor units; nothing is locked."""
    wanted = [account.id for account in accounts]
    rows = await connection.fetch(BALANCES, tenant_id, wanted)
    return dict.fromkeys(wanted, 0) | {row["id"]: row["available"] for row in rows}


def to_campaign(row: asyncpg.Record) -> Campaign:
    """Return the campaign that a row holds."""
    return Campaign(
        id=row["id"],
        organization_id=row["organization_id"],
        name=row["name"],
        status=CampaignStatus(row["status"]),
        tier_mode=TierMode(row["tier_mode"]),
        time_zone=row["time_zone"],
        budget_asset_id=row["budget_asset_id"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        **definition_from_json(row["definition"]),
    )
