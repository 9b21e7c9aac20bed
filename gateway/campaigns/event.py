"""Events: what is recorded, and what came of it, campaign by campaign."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.campaigns.model import Campaign
from gateway.campaigns.rules import check_event_type
from gateway.errors import FieldError
from gateway.grants.record import GrantRecord
from gateway.grants.status import ItemStatus
from gateway.members.model import MemberReference
from gateway.operations.model import check_key
from gateway.text import check_json

# Clocks differ a little; beyond that an event of tomorrow could use up tomorrow's limits.
OCCURRED_AHEAD_MAX = timedelta(minutes=5)
OCCURRED_AGE_MAX = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class EventCommand:
    """Something that a member did; `event_id` is its idempotency key. Without a time, it occurred when it was recorded."""

    event_id: str
    event_type: str
    member: MemberReference
    payload: Mapping[str, Any]
    occurred_at: datetime | None = None
    is_dry_run: bool = False


class CheckKind(enum.StrEnum):
    """What about a campaign or tier was looked at."""

    STATUS = "STATUS"
    PERIOD = "PERIOD"
    TRIGGER = "TRIGGER"
    CONDITION = "CONDITION"
    LIMIT = "LIMIT"
    BUDGET = "BUDGET"
    REWARD = "REWARD"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    `left` is how many more events a limit allows, this one included, or what a budget has in minor units; `resets_at` is
    when a calendar limit starts anew; `asset_id` is the budget's asset.
    """

    kind: CheckKind
    is_passed: bool
    message: str
    left: int | None = None
    resets_at: datetime | None = None
    asset_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """What became of one reward of a tier."""

    reward_id: UUID
    status: ItemStatus
    grant: GrantRecord | None


@dataclass(frozen=True, slots=True)
class TierOutcome:
    """What became of a tier."""

    index: int
    name: str | None
    checks: Sequence[Check]
    effects: Sequence[Effect]


@dataclass(frozen=True, slots=True)
class CampaignOutcome:
    """What became of a campaign: granted if one of its rewards was, else the first reason why not."""

    campaign: Campaign
    status: ItemStatus
    checks: Sequence[Check]
    tiers: Sequence[TierOutcome]


@dataclass(frozen=True, slots=True)
class EventOutcome:
    """An event's member, time and campaigns, oldest campaign first."""

    command: EventCommand
    member_id: UUID
    occurred_at: datetime
    campaigns: Sequence[CampaignOutcome]
    idempotent_replay: bool


def check_command(command: EventCommand) -> list[FieldError]:
    """Return every broken rule of form."""
    errors = check_key(command.event_id, ("input", "eventId"))
    errors += check_event_type(command.event_type, ("input", "eventType"))
    return errors + check_json(dict(command.payload), ("input", "payload"))


def check_time(occurred_at: datetime, now: datetime) -> list[FieldError]:
    """Return the broken rule of an event's time, told by the database's clock."""
    if now - OCCURRED_AGE_MAX <= occurred_at <= now + OCCURRED_AHEAD_MAX:
        return []
    message = f"occurredAt must be at most {OCCURRED_AGE_MAX.days} days ago and not in the future."
    return [FieldError(("input", "occurredAt"), "range", message)]
