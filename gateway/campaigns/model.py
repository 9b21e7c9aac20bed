"""A campaign's words: triggers, tiers, limits, windows. What it does never changes; when it runs may. No storage here."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.ledger.model import Account, OwnerKind


class CampaignStatus(enum.StrEnum):
    """Whether a campaign takes part when an event arrives."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class TierMode(enum.StrEnum):
    """Which tiers of a campaign give their rewards."""

    ALL_MATCHING = "ALL_MATCHING"
    FIRST_MATCHING = "FIRST_MATCHING"


class LimitScope(enum.StrEnum):
    """Whose uses a limit counts."""

    MEMBER = "MEMBER"
    TOTAL = "TOTAL"


class CalendarUnit(enum.StrEnum):
    """A calendar window's length; weeks begin on Monday."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


@dataclass(frozen=True, slots=True)
class Trigger:
    """An event type that a campaign listens for, and the condition under which it does."""

    event_type: str
    condition: str | None = None


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `maximum` rewarded events in a window: a calendar unit, any `rolling_seconds`, or for ever if both are None."""

    scope: LimitScope
    maximum: int
    calendar: CalendarUnit | None = None
    rolling_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class Tier:
    """A condition and the rewards that follow from it. Its limits count the events that this tier rewarded."""

    reward_ids: tuple[UUID, ...]
    name: str | None = None
    condition: str | None = None
    limits: tuple[Limit, ...] = ()


@dataclass(frozen=True, slots=True)
class Campaign:
    """What an organization gives for which events."""

    id: UUID
    organization_id: UUID
    name: str
    status: CampaignStatus
    triggers: tuple[Trigger, ...]
    tiers: tuple[Tier, ...]
    tier_mode: TierMode
    limits: tuple[Limit, ...]
    time_zone: str
    created_at: datetime
    updated_at: datetime
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    budget_asset_id: UUID | None = None

    @property
    def budget(self) -> Account | None:
        """Return the account that its points are paid from, if it has one."""
        if self.budget_asset_id is None:
            return None
        return Account(self.budget_asset_id, OwnerKind.BUDGET, self.id)

    @property
    def event_types(self) -> list[str]:
        """Return the event types it listens for, each once."""
        return sorted({trigger.event_type for trigger in self.triggers})

    @property
    def slots(self) -> list[LimitSlot]:
        """Return every limit with its place: the campaign's own, then each tier's. Places never change."""
        owners: list[tuple[int | None, Sequence[Limit]]] = [(None, self.limits)]
        owners += [(index, tier.limits) for index, tier in enumerate(self.tiers)]
        limits = [(tier_index, limit) for tier_index, limits in owners for limit in limits]
        return [
            LimitSlot(self, place, tier_index, limit)
            for place, (tier_index, limit) in enumerate(limits)
        ]


@dataclass(frozen=True, slots=True)
class LimitSlot:
    """A limit at its place in a campaign; `tier_index` None if it is the campaign's own."""

    campaign: Campaign = field(compare=False)
    place: int
    tier_index: int | None
    limit: Limit

    def subject_id(self, member_id: UUID) -> UUID:
        """Return whose uses are counted: the member's, or the campaign's as a whole."""
        return member_id if self.limit.scope is LimitScope.MEMBER else self.campaign.id


def definition_to_json(campaign: Campaign) -> dict[str, Any]:
    """Return what a campaign does, as its row keeps it."""
    return {
        "triggers": [
            {"event_type": trigger.event_type, "condition": trigger.condition}
            for trigger in campaign.triggers
        ],
        "tiers": [
            {
                "name": tier.name,
                "condition": tier.condition,
                "reward_ids": [str(reward_id) for reward_id in tier.reward_ids],
                "limits": [_limit_to_json(limit) for limit in tier.limits],
            }
            for tier in campaign.tiers
        ],
        "limits": [_limit_to_json(limit) for limit in campaign.limits],
    }


def definition_from_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """Read what `definition_to_json` wrote, as the fields of a campaign."""
    return {
        "triggers": tuple(Trigger(**trigger) for trigger in value["triggers"]),
        "tiers": tuple(
            Tier(
                reward_ids=tuple(map(UUID, tier["reward_ids"])),
                name=tier["name"],
                condition=tier["condition"],
                limits=tuple(map(_limit_from_json, tier["limits"])),
            )
            for tier in value["tiers"]
        ),
        "limits": tuple(map(_limit_from_json, value["limits"])),
    }


def _limit_to_json(limit: Limit) -> dict[str, Any]:
    return {
        "scope": limit.scope.value,
        "maximum": limit.maximum,
        "calendar": limit.calendar.value if limit.calendar else None,
        "rolling_seconds": limit.rolling_seconds,
    }


def _limit_from_json(value: Mapping[str, Any]) -> Limit:
    calendar = value["calendar"]
    return Limit(
        scope=LimitScope(value["scope"]),
        maximum=value["maximum"],
        calendar=CalendarUnit(calendar) if calendar else None,
        rolling_seconds=value["rolling_seconds"],
    )
