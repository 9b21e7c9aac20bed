"""The rules of a new campaign; each broken one is answered with its path."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from uuid import UUID

from gateway.campaigns.conditions import compile_condition
from gateway.campaigns.expression import InvalidExpression
from gateway.campaigns.fields import CampaignFields, TierFields
from gateway.campaigns.model import Limit, Trigger
from gateway.campaigns.windows import known_time_zones
from gateway.errors import FieldError
from gateway.ledger.assets import Asset, AssetKind
from gateway.text import check_text

NAME_LENGTH_MAX = 200
TRIGGERS_MAX = 10
TIERS_MAX = 20
REWARDS_PER_TIER_MAX = 10
LIMITS_MAX = 5
LIMIT_MAXIMUM_MAX = 1_000_000_000
# Each use of a rolling window is looked at when the next one is judged.
ROLLING_MAXIMUM_MAX = 1_000
ROLLING_SECONDS_MAX = 366 * 86_400
EVENT_TYPE_PATTERN = re.compile(r"[a-zA-Z0-9._:-]{1,128}")
BUDGET_KINDS = frozenset({AssetKind.POINTS, AssetKind.EXPERIENCE, AssetKind.CURRENCY})

Path = tuple[str, ...]


def check_fields(fields: CampaignFields) -> list[FieldError]:
    """Return every broken rule that can be told without looking anything up."""
    errors = check_text(fields.name, ("input", "name"), NAME_LENGTH_MAX)
    errors += check_period(fields.starts_at, fields.ends_at)
    if fields.time_zone not in known_time_zones():
        message = "timeZone must be the name of an IANA time zone, such as Europe/Oslo."
        errors.append(FieldError(("input", "timeZone"), "time zone", message))
    errors += _check_count(fields.triggers, ("input", "triggers"), 1, TRIGGERS_MAX)
    for index, trigger in enumerate(fields.triggers):
        errors += _check_trigger(trigger, ("input", "triggers", str(index)))
    errors += _check_count(fields.tiers, ("input", "tiers"), 1, TIERS_MAX)
    for index, tier in enumerate(fields.tiers):
        errors += _check_tier(tier, ("input", "tiers", str(index)))
    return errors + _check_limits(fields.limits, ("input", "limits"))


def check_references(
    fields: CampaignFields, reward_ids: Container[UUID | None], budget_asset: Asset | None
) -> list[FieldError]:
    """Return the broken rules about what the organization has: its own rewards (MON-13), and an asset to spend."""
    errors = [
        FieldError(path, "exists", "rewardIds must name existing rewards.")
        for path, reward_id in _iterate_rewards(fields)
        if reward_id not in reward_ids
    ]
    path = ("input", "budgetAssetId")
    if fields.budget_asset_id is None:
        return errors
    if budget_asset is None:
        message = "budgetAssetId must be the id of an existing asset."
        errors.append(FieldError(path, "exists", message))
    elif budget_asset.kind not in BUDGET_KINDS:
        message = "budgetAssetId must be of points, experience points or a currency."
        errors.append(FieldError(path, "kind", message))
    return errors


def check_event_type(event_type: str, path: Path) -> list[FieldError]:
    """Return the broken rule of an event type."""
    if EVENT_TYPE_PATTERN.fullmatch(event_type):
        return []
    message = "eventType must be 1 to 128 characters of a-z, A-Z, 0-9, '.', '_', ':' and '-'."
    return [FieldError(path, "pattern", message)]


def check_period(starts_at: datetime | None, ends_at: datetime | None) -> list[FieldError]:
    """Return the broken rule of a campaign's period: it ends after it starts."""
    if starts_at is None or ends_at is None or starts_at < ends_at:
        return []
    return [FieldError(("input", "endsAt"), "range", "endsAt must be later than startsAt.")]


def _check_trigger(trigger: Trigger, path: Path) -> list[FieldError]:
    errors = check_event_type(trigger.event_type, (*path, "eventType"))
    return errors + _check_condition(trigger.condition, (*path, "condition"))


def _check_tier(tier: TierFields, path: Path) -> list[FieldError]:
    errors = check_text(tier.name, (*path, "name"), NAME_LENGTH_MAX)
    errors += _check_condition(tier.condition, (*path, "condition"))
    rewards_path = (*path, "rewardIds")
    errors += _check_count(tier.reward_ids, rewards_path, 1, REWARDS_PER_TIER_MAX)
    known = [reward_id for reward_id in tier.reward_ids if reward_id is not None]
    if len(set(known)) < len(known):
        errors.append(FieldError(rewards_path, "unique", "rewardIds names a reward twice."))
    return errors + _check_limits(tier.limits, (*path, "limits"))


def _check_condition(source: str | None, path: Path) -> list[FieldError]:
    if source is None:
        return []
    try:
        compile_condition(source)
    except InvalidExpression as error:
        return [FieldError(path, error.rule, f"{path[-1]} {error}")]
    return []


def _check_limits(limits: Sequence[Limit], path: Path) -> list[FieldError]:
    errors = _check_count(limits, path, 0, LIMITS_MAX)
    for index, limit in enumerate(limits):
        place = (*path, str(index))
        is_rolling = limit.rolling_seconds is not None
        maximum_max = ROLLING_MAXIMUM_MAX if is_rolling else LIMIT_MAXIMUM_MAX
        if not 1 <= limit.maximum <= maximum_max:
            message = f"maximum must be from 1 to {maximum_max} in this kind of window."
            errors.append(FieldError((*place, "maximum"), "range", message))
        if is_rolling and not 1 <= (limit.rolling_seconds or 0) <= ROLLING_SECONDS_MAX:
            message = f"rollingSeconds must be from 1 to {ROLLING_SECONDS_MAX}."
            errors.append(FieldError((*place, "window", "rollingSeconds"), "range", message))
    return errors


def _check_count(
    given: Sequence[object], path: Path, count_min: int, count_max: int
) -> list[FieldError]:
    if count_min <= len(given) <= count_max:
        return []
    message = f"{path[-1]} must have {count_min} to {count_max} entries; it has {len(given)}."
    return [FieldError(path, "length", message)]


def _iterate_rewards(fields: CampaignFields) -> Iterator[tuple[Path, UUID | None]]:
    for tier_index, tier in enumerate(fields.tiers):
        for index, reward_id in enumerate(tier.reward_ids):
            yield ("input", "tiers", str(tier_index), "rewardIds", str(index)), reward_id
