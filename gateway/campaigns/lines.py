"""The rewards of the tiers that are met, as lines to be awarded; points come from the campaign's budget if it has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.campaigns.event import EventCommand
from gateway.campaigns.judging import Judgment
from gateway.campaigns.model import Campaign
from gateway.grants.catalog_line import NOT_FOUND, find_refusal, plan_line
from gateway.grants.line import Line, LineResult
from gateway.grants.record import GrantSource
from gateway.ids import new_ids
from gateway.ledger.assets import AssetUse
from gateway.ledger.model import OwnerKind, Transaction, TransactionKind, Transfer
from gateway.operations.model import Operation
from gateway.rewards.model import Reward

# Campaign, tier, reward.
EffectKey = tuple[UUID, int, UUID]


def plan_lines(
    caller: Caller,
    command: EventCommand,
    operation: Operation,
    judgments: Sequence[Judgment],
    rewards: Mapping[UUID, Reward],
    forbidden_uses: Set[AssetUse],
    member_id: UUID,
) -> tuple[dict[EffectKey, LineResult], dict[EffectKey, Line]]:
    """Return what is refused before balances are looked at, and the lines to try, oldest campaign and first tier first."""
    refused: dict[EffectKey, LineResult] = {}
    wanted: dict[EffectKey, tuple[Campaign, Reward]] = {}
    for judgment in judgments:
        campaign = judgment.campaign
        for index, tier in enumerate(campaign.tiers):
            for reward_id in tier.reward_ids:
                key = (campaign.id, index, reward_id)
                reward = rewards.get(reward_id)
                refusal = judgment.refusal_of(index) or find_refusal(reward, forbidden_uses)
                if refusal is None and reward is not None:
                    wanted[key] = (campaign, reward)
                else:
                    refused[key] = refusal or NOT_FOUND
    grant_ids, transaction_ids = new_ids(len(wanted)), new_ids(len(wanted))
    lines: dict[EffectKey, Line] = {}
    for position, (key, (campaign, reward)) in enumerate(wanted.items()):
        transaction = Transaction(
            id=transaction_ids[position],
            kind=TransactionKind.CAMPAIGN,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={
                "grantIds": [str(grant_ids[position])],
                "memberId": str(member_id),
                "campaignId": str(campaign.id),
            },
            credential_id=operation.credential_id,
        )
        line = plan_line(
            caller,
            reward,
            grant_id=grant_ids[position],
            transaction=transaction,
            member_id=member_id,
            index=position,
            source=GrantSource.CAMPAIGN,
            details=_to_details(command, campaign, key[1]),
        )
        lines[key] = _pay_from_budget(line, campaign)
    return refused, lines


def _pay_from_budget(line: Line, campaign: Campaign) -> Line:
    """Let what would be issued in the budget's asset come from the budget: over budget is then the ledger's own check."""
    budget = campaign.budget
    if budget is None:
        return line
    transfers = [
        Transfer(budget, transfer.credit, transfer.amount_minor)
        if transfer.debit.owner_kind is OwnerKind.ISSUANCE
        and transfer.debit.asset_id == budget.asset_id
        else transfer
        for transfer in line.transfers
    ]
    return replace(line, transfers=transfers)


def _to_details(command: EventCommand, campaign: Campaign, tier_index: int) -> dict[str, Any]:
    return {
        "campaign_id": str(campaign.id),
        "tier_index": tier_index,
        "event_id": command.event_id,
        "event_type": command.event_type,
    }
