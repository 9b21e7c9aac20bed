"""createCampaign: rewards that follow from events (MON-12)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.campaigns import creating
from gateway.campaigns.creating import CreateCampaign
from gateway.campaigns.fields import CampaignFields
from gateway.campaigns.model import CampaignStatus, TierMode
from gateway.ids import IdKind, decode_id
from gateway.storage.pages import ID_LOWEST
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.campaign import Campaign, to_campaign
from resolvers.types.campaign_input import (
    CampaignLimitInput,
    CampaignTierInput,
    CampaignTriggerInput,
    to_limits,
    to_tier_fields,
    to_trigger,
)


@strawberry.input(
    description="A new campaign. Its triggers, tiers, limits, time zone and budget's asset are fixed for ever."
)
class CreateCampaignInput:
    """The call's key and the campaign."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    name: str = strawberry.field(description="Name for people: 1 to 200 characters.")
    triggers: list[CampaignTriggerInput] = strawberry.field(
        description="1 to 10 event types to listen for; any one that matches is enough."
    )
    tiers: list[CampaignTierInput] = strawberry.field(
        description="1 to 20 conditions with their rewards, in order."
    )
    tier_mode: TierMode = strawberry.field(
        default=TierMode.ALL_MATCHING, description="Which tiers give their rewards."
    )
    limits: list[CampaignLimitInput] | None = strawberry.field(
        default=None, description="Limits on the events that the campaign rewards: at most 5."
    )
    status: CampaignStatus = strawberry.field(
        default=CampaignStatus.ACTIVE,
        description="Whether it takes part; at most 100 of an organization do.",
    )
    time_zone: str = strawberry.field(
        default="UTC",
        description="IANA time zone of calendar windows and of `local` in conditions, such as `Europe/Oslo`.",
    )
    starts_at: datetime | None = strawberry.field(
        default=None, description="Events that occurred earlier earn nothing."
    )
    ends_at: datetime | None = strawberry.field(
        default=None, description="Events that occurred then or later earn nothing."
    )
    budget_asset_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Pay what rewards give of this asset from a budget, empty at first: see `fundCampaign`.",
    )


@strawberry.type(description="The campaign that the first call with this key made.")
class CreateCampaignPayload:
    """A campaign."""

    campaign: Campaign = strawberry.field(description="The campaign, as it is now.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateCampaignResult: TypeAlias = Annotated[
    CreateCampaignPayload | InvalidInput | IdempotencyConflict | RequestInProgress | Overloaded,
    strawberry.union("CreateCampaignResult", description="What became of a new campaign."),
]


@mutation(
    "Create a campaign: which rewards follow from which events, under which limits.",
    requires=[Scope.CATALOG],
)
async def create_campaign(
    info: Info,
    input: Annotated[CreateCampaignInput, strawberry.argument(description="The campaign.")],
) -> CreateCampaignResult:
    """Turn the input into one command and its outcome into a payload."""
    fields = CampaignFields(
        name=input.name,
        triggers=tuple(map(to_trigger, input.triggers)),
        tiers=tuple(map(to_tier_fields, input.tiers)),
        tier_mode=input.tier_mode,
        limits=to_limits(input.limits),
        status=input.status,
        time_zone=input.time_zone,
        starts_at=input.starts_at,
        ends_at=input.ends_at,
        budget_asset_id=_to_asset_id(input.budget_asset_id),
    )
    command = CreateCampaign(input.request_id, fields)
    outcome = await creating.create_campaign(info.context.database, info.context.caller, command)
    return CreateCampaignPayload(
        campaign=to_campaign(outcome.campaign), idempotent_replay=outcome.idempotent_replay
    )


def _to_asset_id(given: strawberry.ID | None) -> UUID | None:
    return None if given is None else decode_id(IdKind.ASSET, given) or ID_LOWEST
