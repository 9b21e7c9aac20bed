"""What a caller writes about a new campaign."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.campaigns.model import Campaign, CampaignStatus, Limit, Tier, TierMode, Trigger
from gateway.operations.model import Operation


@dataclass(frozen=True, slots=True)
class TierFields:
    """A tier as a caller wrote it; a reward id of None stands for text that can name no reward."""

    reward_ids: tuple[UUID | None, ...]
    name: str | None = None
    condition: str | None = None
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class CampaignFields:
    """A campaign as a caller wrote it."""

    name: str
    triggers: tuple[Trigger, ...]
    tiers: tuple[TierFields, ...]
    tier_mode: TierMode = TierMode.ALL_MATCHING
    limits: tuple[Limit, ...] = ()
    status: CampaignStatus = CampaignStatus.ACTIVE
    time_zone: str = "UTC"
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    budget_asset_id: UUID | None = None

    @property
    def reward_ids(self) -> list[UUID]:
        """Return every reward named, once."""
        named = {reward_id for tier in self.tiers for reward_id in tier.reward_ids}
        return sorted(reward_id for reward_id in named if reward_id is not None)

    def to_fields(self) -> dict[str, Any]:
        """Return the fields in one spelling by their GraphQL names, for the request's fingerprint."""
        return {
            "name": self.name,
            "triggers": [[trigger.event_type, trigger.condition] for trigger in self.triggers],
            "tiers": [
                [tier.name, tier.condition, tier.reward_ids, _spell(tier.limits)]
                for tier in self.tiers
            ],
            "tierMode": self.tier_mode,
            "limits": _spell(self.limits),
            "status": self.status,
            "timeZone": self.time_zone,
            "startsAt": self.starts_at,
            "endsAt": self.ends_at,
            "budgetAssetId": self.budget_asset_id,
        }

    def complete(self, campaign_id: UUID, organization_id: UUID, operation: Operation) -> Campaign:
        """Return the campaign of fields that break no rule."""
        return Campaign(
            id=campaign_id,
            organization_id=organization_id,
            name=self.name,
            status=self.status,
            triggers=self.triggers,
            tiers=tuple(map(_to_tier, self.tiers)),
            tier_mode=self.tier_mode,
            limits=self.limits,
            time_zone=self.time_zone,
            created_at=operation.at,
            updated_at=operation.at,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            budget_asset_id=self.budget_asset_id,
        )


def _to_tier(fields: TierFields) -> Tier:
    known = tuple(reward_id for reward_id in fields.reward_ids if reward_id is not None)
    return Tier(known, fields.name, fields.condition, fields.limits)


def _spell(limits: tuple[Limit, ...]) -> list[list[Any]]:
    return [[limit.scope, limit.maximum, limit.calendar, limit.rolling_seconds] for limit in limits]
