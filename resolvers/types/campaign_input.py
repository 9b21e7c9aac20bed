"""What a caller writes about a new campaign."""

from __future__ import annotations

import strawberry

from gateway.campaigns.fields import TierFields
from gateway.campaigns.model import CalendarUnit, Limit, LimitScope, Trigger
from gateway.ids import IdKind, decode_id
from gateway.text import normalize_name

CONDITION = (
    "CEL expression of at most 1,000 characters over `payload`, `member` (id, displayName, createdAt), `event` (id, type, "
    "occurredAt), `local` (date, year, month, day, weekday, hour, minute in the campaign's time zone) and `now`, such as "
    "`payload.amount >= 50 && local.weekday <= 5`. Always true if left out."
)


@strawberry.input(description="An event type to listen for.")
class CampaignTriggerInput:
    """A trigger."""

    event_type: str = strawberry.field(
        description="1 to 128 characters of a-z, A-Z, 0-9, '.', '_', ':', '-'."
    )
    condition: str | None = strawberry.field(default=None, description=CONDITION)


@strawberry.input(one_of=True, description="The window that a limit counts in.")
class LimitWindowInput:
    """Exactly one of the fields is set."""

    calendar: CalendarUnit | None = strawberry.field(
        default=strawberry.UNSET,
        description="A day, week or month of the campaign's time zone.",
    )
    rolling_seconds: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Any stretch of so many seconds: 1 to 31,622,400 (366 days).",
    )


@strawberry.input(
    description="At most so many rewarded events in a window. Windows go by when events occurred."
)
class CampaignLimitInput:
    """A limit."""

    scope: LimitScope = strawberry.field(description="Whose events it counts.")
    maximum: int = strawberry.field(
        description="How many events are rewarded in one window: 1 to 1,000,000,000; at most 1,000 in a rolling window."
    )
    window: LimitWindowInput | None = strawberry.field(
        default=None, description="The window; for ever if left out."
    )


@strawberry.input(description="A condition, and the rewards that follow from it.")
class CampaignTierInput:
    """A tier."""

    name: str | None = strawberry.field(
        default=None, description="Name for people: 1 to 200 characters."
    )
    condition: str | None = strawberry.field(default=None, description=CONDITION)
    reward_ids: list[strawberry.ID] = strawberry.field(
        description="1 to 10 rewards of the organization, each once."
    )
    limits: list[CampaignLimitInput] | None = strawberry.field(
        default=None, description="Limits on the events that this tier rewards: at most 5."
    )


def to_trigger(given: CampaignTriggerInput) -> Trigger:
    """Return the trigger that the input describes."""
    return Trigger(normalize_name(given.event_type), given.condition)


def to_tier_fields(given: CampaignTierInput) -> TierFields:
    """Return the tier that the input describes."""
    return TierFields(
        reward_ids=tuple(decode_id(IdKind.REWARD, reward_id) for reward_id in given.reward_ids),
        name=given.name,
        condition=given.condition,
        limits=to_limits(given.limits),
    )


def to_limits(given: list[CampaignLimitInput] | None) -> tuple[Limit, ...]:
    """Return the limits that the input describes."""
    return tuple(map(_to_limit, given or ()))


def _to_limit(given: CampaignLimitInput) -> Limit:
    window = given.window
    if window is None:
        return Limit(given.scope, given.maximum)
    return Limit(
        given.scope,
        given.maximum,
        calendar=window.calendar or None,
        rolling_seconds=(
            None if window.rolling_seconds is strawberry.UNSET else window.rolling_seconds
        ),
    )
