"""The demo tenant's campaign: points for a good quiz, three times a day, from a budget."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from gateway.access import Caller
from gateway.campaigns.creating import CreateCampaign, create_campaign
from gateway.campaigns.fields import CampaignFields, TierFields
from gateway.campaigns.funding import FundCampaign, fund_campaign
from gateway.campaigns.model import CalendarUnit, Limit, LimitScope, TierMode, Trigger
from gateway.storage.database import Database

BUDGET = Decimal(10_000)


async def create_demo_campaign(
    database: Database, caller: Caller, rewards: Mapping[str, UUID]
) -> UUID:
    """Make the campaign, fund it, and return its id."""
    fields = CampaignFields(
        name="Quiz of the day",
        triggers=(Trigger("quiz.completed", "has(payload.score)"),),
        tiers=(
            TierFields((rewards["product"],), "Gold", "payload.score == 10"),
            TierFields((rewards["points"],), "Silver", "payload.score >= 5"),
        ),
        tier_mode=TierMode.FIRST_MATCHING,
        limits=(Limit(LimitScope.MEMBER, 3, CalendarUnit.DAY),),
        time_zone="Europe/Oslo",
        budget_asset_id=caller.standard_assets.points_id,
    )
    outcome = await create_campaign(database, caller, CreateCampaign("demo-campaign", fields))
    campaign_id = outcome.campaign.id
    await fund_campaign(database, caller, FundCampaign("demo-funding", campaign_id, BUDGET))
    return campaign_id
