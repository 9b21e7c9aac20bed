"""Whether a campaign and its tiers give their rewards for an event: first without limits, then with them. All of it pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from gateway.campaigns.conditions import Evaluation, EvaluationFailed
from gateway.campaigns.event import Check, CheckKind
from gateway.campaigns.model import Campaign, CampaignStatus, LimitSlot, TierMode
from gateway.campaigns.windows import window_end
from gateway.grants.status import Refusal, StatusCode
from gateway.ledger.assets import Asset, format_amount

# A slot's place within all campaigns.
SlotKey = tuple[UUID, int]


@dataclass(slots=True)
class Verdict:
    """Why a campaign or a tier gives nothing, if so, and everything that was looked at."""

    refusal: Refusal | None = None
    checks: list[Check] = field(default_factory=list)

    def add(self, check: Check, code: StatusCode) -> None:
        """Keep a check; the first that fails decides."""
        self.checks.append(check)
        if not check.is_passed and self.refusal is None:
            self.refusal = Refusal(code, (check.message,))


@dataclass(slots=True)
class Judgment:
    """A campaign's verdict, and one for each tier. A tier gives its rewards if neither it nor the campaign is refused."""

    campaign: Campaign
    verdict: Verdict
    tiers: list[Verdict]

    def refusal_of(self, tier_index: int) -> Refusal | None:
        """Return why a tier gives nothing, or None."""
        return self.verdict.refusal or self.tiers[tier_index].refusal

    @property
    def open_tiers(self) -> list[int]:
        """Return the tiers that give their rewards."""
        return [index for index in range(len(self.tiers)) if self.refusal_of(index) is None]

    @property
    def open_slots(self) -> list[LimitSlot]:
        """Return the limits that those tiers count against."""
        open_tiers = self.open_tiers
        if not open_tiers:
            return []
        owners = {None, *open_tiers}
        return [slot for slot in self.campaign.slots if slot.tier_index in owners]


def judge_campaign(campaign: Campaign, evaluation: Evaluation) -> Judgment:
    """Judge all but the limits: status, period, triggers, and the tiers' conditions in order."""
    verdict = Verdict()
    is_active = campaign.status is CampaignStatus.ACTIVE
    message = f"The campaign is {'active' if is_active else 'not active'}."
    verdict.add(Check(CheckKind.STATUS, is_active, message), StatusCode.CAMPAIGN_INACTIVE)
    verdict.add(_check_period(campaign, evaluation.occurred_at), StatusCode.OUTSIDE_PERIOD)
    _judge_triggers(campaign, evaluation, verdict)
    tiers: list[Verdict] = []
    for tier in campaign.tiers:
        judged = Verdict()
        if tier.condition is not None:
            _judge_condition(tier.condition, campaign, evaluation, judged)
        is_later = any(earlier.refusal is None for earlier in tiers)
        if campaign.tier_mode is TierMode.FIRST_MATCHING and is_later and judged.refusal is None:
            message = "An earlier tier matched."
            judged.refusal = Refusal(StatusCode.TIER_NOT_CHOSEN, (message,))
        tiers.append(judged)
    return Judgment(campaign, verdict, tiers)


def judge_limits(judgment: Judgment, used: Mapping[SlotKey, int], occurred_at: datetime) -> None:
    """Refuse the campaign, or its tiers, where a limit leaves nothing; `used` has the limits to look at."""
    campaign = judgment.campaign
    for slot in campaign.slots:
        if (campaign.id, slot.place) not in used:
            continue
        left = max(slot.limit.maximum - used[campaign.id, slot.place], 0)
        owner = "campaign" if slot.tier_index is None else "tier"
        whose = slot.limit.scope.value.lower()
        message = f"A limit of the {owner} ({whose}, {describe_window(slot)}) leaves {left} of {slot.limit.maximum}."
        resets_at = window_end(slot.limit, occurred_at, campaign.time_zone)
        check = Check(CheckKind.LIMIT, left > 0, message, left, resets_at)
        tier_index = slot.tier_index
        verdict = judgment.verdict if tier_index is None else judgment.tiers[tier_index]
        verdict.add(check, StatusCode.LIMIT_REACHED)


def judge_budget(judgment: Judgment, asset: Asset, left_minor: int) -> None:
    """Note what the campaign's budget has left; whether that suffices is for the ledger to say."""
    has_some = left_minor > 0
    message = f"The budget has {format_amount(asset, left_minor)} left."
    check = Check(CheckKind.BUDGET, has_some, message, left_minor, asset_id=asset.id)
    judgment.verdict.checks.append(check)


def describe_window(slot: LimitSlot) -> str:
    """Return a limit's window in words."""
    limit = slot.limit
    if limit.calendar is not None:
        return f"each {limit.calendar.value.lower()} in {slot.campaign.time_zone}"
    if limit.rolling_seconds is not None:
        return f"any {limit.rolling_seconds} seconds"
    return "for ever"


def _check_period(campaign: Campaign, at: datetime) -> Check:
    if campaign.starts_at is not None and at < campaign.starts_at:
        message = f"The campaign begins at {campaign.starts_at.isoformat()}."
        return Check(CheckKind.PERIOD, is_passed=False, message=message)
    if campaign.ends_at is not None and at >= campaign.ends_at:
        message = f"The campaign ended at {campaign.ends_at.isoformat()}."
        return Check(CheckKind.PERIOD, is_passed=False, message=message)
    message = "The event occurred while the campaign runs."
    return Check(CheckKind.PERIOD, is_passed=True, message=message)


def _judge_triggers(campaign: Campaign, evaluation: Evaluation, verdict: Verdict) -> None:
    """Pass if any trigger of the event's type has a condition that holds, or none."""
    event_type = evaluation.event["type"]
    listening = [trigger for trigger in campaign.triggers if trigger.event_type == event_type]
    if not listening:
        message = f"The campaign does not listen for events of type {event_type}."
        check = Check(CheckKind.TRIGGER, is_passed=False, message=message)
        return verdict.add(check, StatusCode.NOT_TRIGGERED)
    message = f"The campaign listens for events of type {event_type}."
    verdict.checks.append(Check(CheckKind.TRIGGER, is_passed=True, message=message))
    conditions = [trigger.condition for trigger in listening]
    if None in conditions:
        return None
    tried = Verdict()
    for condition in conditions:
        attempt = Verdict()
        _judge_condition(condition or "", campaign, evaluation, attempt)
        tried.checks += attempt.checks
        if attempt.refusal is None:
            verdict.checks += attempt.checks
            return None
        tried.refusal = tried.refusal or attempt.refusal
    verdict.checks += tried.checks
    verdict.refusal = verdict.refusal or tried.refusal
    return None


def _judge_condition(
    source: str, campaign: Campaign, evaluation: Evaluation, verdict: Verdict
) -> None:
    """Pass if the condition holds; one that fails counts as not met, and the check says why."""
    try:
        holds = evaluation.holds(source, campaign.time_zone)
    except EvaluationFailed as error:
        check = Check(CheckKind.CONDITION, is_passed=False, message=str(error))
        return verdict.add(check, StatusCode.CONDITION_FAILED)
    message = f"The condition {'holds' if holds else 'does not hold'}."
    check = Check(CheckKind.CONDITION, is_passed=holds, message=message)
    return verdict.add(check, StatusCode.CONDITION_NOT_MET)
