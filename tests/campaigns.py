"""Campaigns and events in as few words as a test needs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.campaigns.creating import CreateCampaign, create_campaign
from gateway.campaigns.event import EventCommand, EventOutcome
from gateway.campaigns.fields import CampaignFields, TierFields
from gateway.campaigns.funding import FundCampaign, fund_campaign
from gateway.campaigns.model import Campaign, Limit, LimitScope, Trigger
from gateway.campaigns.recording import record_event
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.ledger.model import OwnerKind
from tests.catalog import Shop
from tests.use_cases import balance, named

EVENT = "order.completed"


def tier(*reward_ids: UUID | None, condition: str | None = None, **fields: Any) -> TierFields:
    """Return a tier that gives these rewards."""
    return TierFields(reward_ids, condition=condition, **fields)


def campaign_fields(
    *tiers: TierFields, condition: str | None = None, **fields: Any
) -> CampaignFields:
    """Return the fields of a campaign that listens for EVENT."""
    defaults: dict[str, Any] = {"name": "Spring", "triggers": (Trigger(EVENT, condition),)}
    return CampaignFields(tiers=tiers, **defaults | fields)


async def create(
    shop: Shop, *tiers: TierFields, caller: Caller | None = None, **fields: Any
) -> Campaign:
    """Create a campaign of the shop's organization, or of another caller's."""
    command = CreateCampaign(str(new_id()), campaign_fields(*tiers, **fields))
    return (await create_campaign(shop.database, caller or shop.caller, command)).campaign


async def fund(shop: Shop, campaign: Campaign, amount: int) -> None:
    """Put points into a campaign's budget."""
    command = FundCampaign(str(new_id()), campaign.id, Decimal(amount))
    await fund_campaign(shop.database, shop.caller, command)


async def budget_of(shop: Shop, campaign: Campaign) -> int:
    """Return what a campaign's budget has."""
    return await balance(shop, campaign.id, kind=OwnerKind.BUDGET)


async def record(
    shop: Shop,
    member_id: UUID,
    event_id: str | None = None,
    payload: dict[str, Any] | None = None,
    *,
    at: datetime | None = None,
    caller: Caller | None = None,
    event_type: str = EVENT,
    is_dry_run: bool = False,
) -> EventOutcome:
    """Record an event of the member; a new one, if it is not named."""
    command = EventCommand(
        event_id or str(new_id()), event_type, named(member_id), payload or {}, at, is_dry_run
    )
    return await record_event(shop.database, caller or shop.caller, command)


def codes(outcome: EventOutcome) -> list[StatusCode]:
    """Return the status of every reward of every tier, in order."""
    return [
        effect.status.code
        for campaign in outcome.campaigns
        for tier in campaign.tiers
        for effect in tier.effects
    ]


def each(maximum: int, **window: Any) -> Limit:
    """Return a limit for each member."""
    return Limit(LimitScope.MEMBER, maximum, **window)


def total(maximum: int, **window: Any) -> Limit:
    """Return a limit for all members together."""
    return Limit(LimitScope.TOTAL, maximum, **window)
