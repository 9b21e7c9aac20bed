"""What came of an event, campaign by campaign."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.campaigns import event as domain
from gateway.campaigns.event import CheckKind
from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import Asset, from_minor
from resolvers.codes import view_issued
from resolvers.enums import expose_enum
from resolvers.types.campaign import Campaign, to_campaign
from resolvers.types.grant import Grant, to_issued_grant
from resolvers.types.status import OperationStatus, to_status

expose_enum(
    CheckKind,
    "What about a campaign or tier was looked at.",
    {
        "STATUS": "Whether the campaign is active.",
        "PERIOD": "Whether the event occurred while the campaign runs.",
        "TRIGGER": "Whether the campaign listens for this type of event.",
        "CONDITION": "Whether an expression holds for the event.",
        "LIMIT": "Whether a limit leaves anything in its window.",
        "BUDGET": "What the budget has left. Dry runs only.",
        "REWARD": "Whether a reward exists and is active. Dry runs only.",
    },
    name="CampaignCheckKind",
)


@strawberry.type(description="One thing that was looked at.")
class CampaignCheck:
    """A check and what it showed."""

    kind: CheckKind = strawberry.field(description="What was looked at.")
    passed: bool = strawberry.field(description="Whether it speaks for a reward.")
    message: str = strawberry.field(
        description="One sentence for a person; its wording may change."
    )
    left: Decimal | None = strawberry.field(
        description="LIMIT: how many more events it allows, this one included. BUDGET: what is left. Else null."
    )
    resets_at: datetime | None = strawberry.field(
        description="LIMIT in a calendar window: when the window ends. Else null."
    )


@strawberry.type(description="What became of one reward of a tier.")
class CampaignEffect:
    """A reward's result."""

    reward_id: strawberry.ID = strawberry.field(description="The reward.")
    status: OperationStatus = strawberry.field(
        description="GRANTED, PENDING if a vendor has not answered yet, or the first reason why it was not."
    )
    grant: Grant | None = strawberry.field(
        description="The grant that gives it; null if there is none."
    )


@strawberry.type(description="What became of a tier.")
class CampaignTierOutcome:
    """A tier's checks and rewards."""

    index: int = strawberry.field(description="Its place among the campaign's tiers, from 0.")
    name: str | None = strawberry.field(description="Its name.")
    checks: list[CampaignCheck] = strawberry.field(
        description="What was looked at, besides the campaign's own checks."
    )
    effects: list[CampaignEffect] = strawberry.field(
        description="One result for each of its rewards, in order."
    )


@strawberry.type(description="What became of a campaign.")
class CampaignEventOutcome:
    """A campaign's checks and tiers."""

    campaign: Campaign = strawberry.field(description="The campaign, as it is now.")
    status: OperationStatus = strawberry.field(
        description="That of the first reward that was granted, else of the first that was not."
    )
    checks: list[CampaignCheck] = strawberry.field(description="What was looked at.")
    tiers: list[CampaignTierOutcome] = strawberry.field(
        description="One result for each of its tiers, in order."
    )


def to_campaign_outcome(
    outcome: domain.CampaignOutcome, assets: Mapping[UUID, Asset], *, is_dry_run: bool
) -> CampaignEventOutcome:
    """Return what became of a campaign as its GraphQL type; `assets` has every budget's."""
    return CampaignEventOutcome(
        campaign=to_campaign(outcome.campaign),
        status=to_status(outcome.status),
        checks=[_to_check(check, assets) for check in outcome.checks],
        tiers=[
            CampaignTierOutcome(
                index=tier.index,
                name=tier.name,
                checks=[_to_check(check, assets) for check in tier.checks],
                effects=[_to_effect(effect, is_dry_run=is_dry_run) for effect in tier.effects],
            )
            for tier in outcome.tiers
        ],
    )


def _to_check(check: domain.Check, assets: Mapping[UUID, Asset]) -> CampaignCheck:
    scale = assets[check.asset_id].scale if check.asset_id else 0
    return CampaignCheck(
        kind=check.kind,
        passed=check.is_passed,
        message=check.message,
        left=None if check.left is None else from_minor(check.left, scale),
        resets_at=check.resets_at,
    )


def _to_effect(effect: domain.Effect, *, is_dry_run: bool) -> CampaignEffect:
    grant = effect.grant
    view = view_issued(effect.status.code, is_dry_run=is_dry_run)
    return CampaignEffect(
        reward_id=strawberry.ID(encode_id(IdKind.REWARD, effect.reward_id)),
        status=to_status(effect.status),
        grant=to_issued_grant(grant, view) if grant else None,
    )
