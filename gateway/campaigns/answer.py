"""What came of an event, as the operation's answer keeps it, so that a repeat explains as much as the first arrival."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.campaigns.event import (
    CampaignOutcome,
    Check,
    CheckKind,
    Effect,
    EventCommand,
    EventOutcome,
    TierOutcome,
)
from gateway.campaigns.judging import Judgment
from gateway.campaigns.lines import EffectKey
from gateway.campaigns.model import Campaign
from gateway.grants.line import AlreadyIssued, LineResult
from gateway.grants.pending import PENDING, present_status
from gateway.grants.record import GrantRecord, GrantStatus
from gateway.grants.status import ALREADY_ISSUED, ItemStatus, Refusal, StatusCode
from gateway.operations.model import Answer

GRANTED = ItemStatus(StatusCode.GRANTED, "Reward granted.")


def to_answer(
    member_id: UUID,
    occurred_at: datetime,
    judgments: Sequence[Judgment],
    results: Mapping[EffectKey, LineResult],
) -> dict[str, Any]:
    """Return the answer to be stored."""
    return {
        "member_id": str(member_id),
        "occurred_at": occurred_at.isoformat(),
        "campaigns": [_campaign_to_json(judgment, results) for judgment in judgments],
    }


def grant_ids_of(answer: Mapping[str, Any]) -> list[UUID]:
    """Return the grants that a stored answer names."""
    return [
        UUID(effect["grant_id"])
        for campaign in answer["campaigns"]
        for tier in campaign["tiers"]
        for effect in tier["effects"]
        if effect["grant_id"]
    ]


def read_outcomes(
    command: EventCommand,
    answer: Answer,
    campaigns: Mapping[UUID, Campaign],
    grants: Mapping[UUID, GrantRecord],
) -> EventOutcome:
    """Return the outcome that a stored answer holds."""
    return EventOutcome(
        command,
        UUID(answer.value["member_id"]),
        datetime.fromisoformat(answer.value["occurred_at"]),
        [
            _read_campaign(item, campaigns[UUID(item["campaign_id"])], grants)
            for item in answer.value["campaigns"]
        ],
        answer.idempotent_replay,
    )


def _campaign_to_json(
    judgment: Judgment, results: Mapping[EffectKey, LineResult]
) -> dict[str, Any]:
    campaign = judgment.campaign
    return {
        "campaign_id": str(campaign.id),
        "checks": [_check_to_json(check) for check in judgment.verdict.checks],
        "tiers": [
            {
                "name": tier.name,
                "checks": [_check_to_json(check) for check in judgment.tiers[index].checks],
                "effects": [
                    _effect_to_json(reward_id, results[campaign.id, index, reward_id])
                    for reward_id in tier.reward_ids
                ],
            }
            for index, tier in enumerate(campaign.tiers)
        ],
    }


def _effect_to_json(reward_id: UUID, result: LineResult) -> dict[str, Any]:
    status, grant_id = GRANTED, None
    if isinstance(result, Refusal):
        status = result.status
    elif isinstance(result, AlreadyIssued):
        status, grant_id = ALREADY_ISSUED, result.grant_id
    else:
        status = PENDING if result.status is GrantStatus.PENDING else GRANTED
        grant_id = result.id
    return {
        "reward_id": str(reward_id),
        "code": status.code,
        "message": status.message,
        "grant_id": str(grant_id) if grant_id else None,
    }


def _check_to_json(check: Check) -> dict[str, Any]:
    return {
        "kind": check.kind,
        "is_passed": check.is_passed,
        "message": check.message,
        "left": check.left,
        "resets_at": check.resets_at.isoformat() if check.resets_at else None,
        "asset_id": str(check.asset_id) if check.asset_id else None,
    }


def _read_campaign(
    item: Mapping[str, Any], campaign: Campaign, grants: Mapping[UUID, GrantRecord]
) -> CampaignOutcome:
    tiers = [
        TierOutcome(
            index,
            tier["name"],
            [_read_check(check) for check in tier["checks"]],
            [_read_effect(effect, grants) for effect in tier["effects"]],
        )
        for index, tier in enumerate(item["tiers"])
    ]
    checks = [_read_check(check) for check in item["checks"]]
    return CampaignOutcome(campaign, _summarize(tiers), checks, tiers)


def _summarize(tiers: Sequence[TierOutcome]) -> ItemStatus:
    """Return the status of the first reward that was given, else of the first on its way, else of the first that was not."""
    statuses = [effect.status for tier in tiers for effect in tier.effects]
    given = [status for status in statuses if status.is_success]
    under_way = [status for status in statuses if status.code.has_effect]
    return (given or under_way or statuses)[0]


def _read_effect(effect: Mapping[str, Any], grants: Mapping[UUID, GrantRecord]) -> Effect:
    grant_id = effect["grant_id"]
    status = ItemStatus(StatusCode(effect["code"]), effect["message"])
    grant = grants.get(UUID(grant_id)) if grant_id else None
    if grant is not None:
        status = present_status(status, grant, GRANTED)
    return Effect(UUID(effect["reward_id"]), status, grant)


def _read_check(check: Mapping[str, Any]) -> Check:
    resets_at, asset_id = check["resets_at"], check["asset_id"]
    return Check(
        CheckKind(check["kind"]),
        check["is_passed"],
        check["message"],
        check["left"],
        datetime.fromisoformat(resets_at) if resets_at else None,
        UUID(asset_id) if asset_id else None,
    )
