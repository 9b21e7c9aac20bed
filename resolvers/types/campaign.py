"""Campaigns: what an organization gives for which events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.campaigns import model as domain
from gateway.campaigns.model import CalendarUnit, CampaignStatus, LimitScope, TierMode
from gateway.campaigns.store import count_campaign_grants, fetch_available, fetch_campaigns
from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import from_minor
from gateway.ledger.model import Account
from gateway.storage.database import Connection
from gateway.visibility import is_partner
from resolvers.context import Context, Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.types.asset import Asset, to_asset
from resolvers.types.reward import Reward, load_reward

expose_enum(
    CampaignStatus,
    "Whether a campaign takes part when an event arrives.",
    {"ACTIVE": "It does.", "INACTIVE": "It gives nothing until it is active."},
)
expose_enum(
    TierMode,
    "Which tiers of a campaign give their rewards.",
    {
        "ALL_MATCHING": "Every tier whose condition holds.",
        "FIRST_MATCHING": "The first tier whose condition holds, even if a limit then refuses it.",
    },
)
expose_enum(
    LimitScope,
    "Whose rewarded events a limit counts.",
    {"MEMBER": "Those of each member.", "TOTAL": "Those of all members together."},
)
expose_enum(
    CalendarUnit,
    "A calendar window, in the campaign's time zone.",
    {
        "DAY": "From midnight to midnight.",
        "WEEK": "From Monday to Sunday.",
        "MONTH": "From the first day of a month to its last.",
    },
)


@strawberry.type(description="An event type that a campaign listens for.")
class CampaignTrigger:
    """One trigger; any one that matches is enough."""

    event_type: str = strawberry.field(description="The type of event, such as `order.completed`.")
    condition: str | None = strawberry.field(
        description="CEL expression that must hold for the event; null if none need."
    )


@strawberry.type(
    description="At most so many rewarded events in a window. An event counts if something was granted for it."
)
class CampaignLimit:
    """A limit; without a window it is for ever."""

    scope: LimitScope = strawberry.field(description="Whose events it counts.")
    maximum: int = strawberry.field(description="How many events are rewarded in one window.")
    calendar: CalendarUnit | None = strawberry.field(
        description="The calendar window it counts in; null if it does not."
    )
    rolling_seconds: int | None = strawberry.field(
        description="The length of the rolling window it counts in; null if it does not."
    )


@strawberry.type(description="A condition, and the rewards that follow from it.")
class CampaignTier:
    """One tier of a campaign."""

    tier: strawberry.Private[domain.Tier]

    name: str | None = strawberry.field(description="Name for people.")
    condition: str | None = strawberry.field(
        description="CEL expression that must hold for the event; null if the trigger's is enough."
    )
    reward_ids: list[strawberry.ID] = strawberry.field(description="The rewards it gives.")
    limits: list[CampaignLimit] = strawberry.field(
        description="Limits on the events that this tier rewards."
    )

    @resolved("The rewards it gives, as they are now; deleted ones are left out.")
    async def rewards(self, info: Info) -> list[Reward] | None:
        """Load the rewards."""
        found = [await load_reward(info.context, reward_id) for reward_id in self.tier.reward_ids]
        return [reward for reward in found if reward is not None]


@strawberry.type(description="An account that a campaign's points are paid from.")
class CampaignBudget:
    """What is left of a budget."""

    asset: Asset = strawberry.field(description="What it holds.")
    available: Decimal = strawberry.field(description="How much is left; never below zero.")


@strawberry.type(description="What a campaign has given; grants that were reversed are left out.")
class CampaignCounts:
    """Grants and members."""

    grants: int = strawberry.field(description="How many grants it made.")
    members: int = strawberry.field(description="To how many different members.")


@strawberry.type(
    description="What an organization gives for which events. What it does never changes; when it runs can be changed."
)
class Campaign(Node):
    """A campaign."""

    campaign: strawberry.Private[domain.Campaign]

    name: str = strawberry.field(description="Name for people.")
    status: CampaignStatus = strawberry.field(description="Whether it takes part.")
    triggers: list[CampaignTrigger] = strawberry.field(description="What it listens for.")
    tiers: list[CampaignTier] = strawberry.field(description="What it gives, in order.")
    tier_mode: TierMode = strawberry.field(description="Which tiers give their rewards.")
    limits: list[CampaignLimit] = strawberry.field(
        description="Limits on the events that it rewards."
    )
    time_zone: str = strawberry.field(
        description="IANA time zone of its calendar windows and of `local` in its conditions."
    )
    starts_at: datetime | None = strawberry.field(
        description="Events that occurred earlier earn nothing; null if there is no such time."
    )
    ends_at: datetime | None = strawberry.field(
        description="Events that occurred then or later earn nothing; null if there is no such time."
    )
    created_at: datetime = strawberry.field(description="When it was created.")
    updated_at: datetime = strawberry.field(description="When it was last changed.")

    @resolved("The account that its points are paid from; null if they are not limited so.")
    async def budget(self, info: Info) -> CampaignBudget | None:
        """Load the balance and its asset."""
        account, loaders = self.campaign.budget, info.context.loaders
        if account is None:
            return None
        asset = await loaders.known_assets.load(account.asset_id)
        assert asset is not None  # noqa: S101 - checked when the campaign was made
        left_minor = await loaders.using(_load_available).load(account) or 0
        return CampaignBudget(asset=to_asset(asset), available=from_minor(left_minor, asset.scale))

    @resolved("What it has given so far.")
    async def counts(self, info: Info) -> CampaignCounts | None:
        """Count its grants."""
        counts = await info.context.loaders.using(_load_counts).load(self.campaign.id)
        grant_count, member_count = counts or (0, 0)
        return CampaignCounts(grants=grant_count, members=member_count)


def to_campaign(campaign: domain.Campaign) -> Campaign:
    """Return a campaign as its GraphQL type."""
    return Campaign(
        id=strawberry.ID(encode_id(IdKind.CAMPAIGN, campaign.id)),
        campaign=campaign,
        name=campaign.name,
        status=campaign.status,
        triggers=[
            CampaignTrigger(event_type=trigger.event_type, condition=trigger.condition)
            for trigger in campaign.triggers
        ],
        tiers=[_to_tier(tier) for tier in campaign.tiers],
        tier_mode=campaign.tier_mode,
        limits=[_to_limit(limit) for limit in campaign.limits],
        time_zone=campaign.time_zone,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        created_at=campaign.created_at,
        updated_at=campaign.updated_at,
    )


async def load_campaign_nodes(context: Context, ids: Sequence[UUID]) -> list[Campaign | None]:
    """Return the campaigns of the caller's organization, in the order of the ids; members see none."""
    if not is_partner(context.caller):
        return [None] * len(ids)
    found = await context.loaders.using(_load_campaigns).load_many(ids)
    return [to_campaign(campaign) if campaign else None for campaign in found]


def _to_tier(tier: domain.Tier) -> CampaignTier:
    return CampaignTier(
        tier=tier,
        name=tier.name,
        condition=tier.condition,
        reward_ids=[
            strawberry.ID(encode_id(IdKind.REWARD, reward_id)) for reward_id in tier.reward_ids
        ],
        limits=[_to_limit(limit) for limit in tier.limits],
    )


def _to_limit(limit: domain.Limit) -> CampaignLimit:
    return CampaignLimit(
        scope=limit.scope,
        maximum=limit.maximum,
        calendar=limit.calendar,
        rolling_seconds=limit.rolling_seconds,
    )


async def _load_campaigns(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, domain.Campaign]:
    caller = loaders.caller
    return await fetch_campaigns(connection, caller.tenant_id, caller.organization_id, ids)


async def _load_available(
    connection: Connection, loaders: Loaders, accounts: Sequence[Account]
) -> Mapping[Account, int]:
    left = await fetch_available(connection, loaders.caller.tenant_id, accounts)
    return {account: left[account.id] for account in accounts}


async def _load_counts(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, tuple[int, int]]:
    return await count_campaign_grants(connection, loaders.caller.tenant_id, ids)
