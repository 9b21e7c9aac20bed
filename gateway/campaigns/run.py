"""One event on its way through its database transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.campaigns.answer import to_answer
from gateway.campaigns.conditions import Evaluation
from gateway.campaigns.counter_store import add_uses, fetch_used, to_use
from gateway.campaigns.event import Check, CheckKind, EventCommand, check_time
from gateway.campaigns.judging import Judgment, judge_budget, judge_campaign, judge_limits
from gateway.campaigns.lines import EffectKey, plan_lines
from gateway.campaigns.model import Campaign
from gateway.campaigns.store import fetch_available, fetch_explained, fetch_listening
from gateway.errors import InvalidInput, NotFound
from gateway.grants.award import award
from gateway.grants.catalog_line import find_refusal
from gateway.grants.line import Line, LineResult
from gateway.grants.record import GrantRecord
from gateway.grants.status import Refusal
from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import AssetUse
from gateway.members.store import fetch_members, find_members
from gateway.operations.model import Operation
from gateway.rewards.model import Reward
from gateway.rewards.store import fetch_rewards
from gateway.storage.database import Connection
from gateway.tenants.asset_rights import find_forbidden_uses
from gateway.tenants.assets import load_assets


class EventRun:
    """One event; `grants` and `campaigns` hold what the last attempt granted and looked at, by id."""

    def __init__(self, caller: Caller, command: EventCommand) -> None:
        """Take what is recorded and on whose behalf."""
        self.caller = caller
        self.command = command
        self.grants: dict[UUID, GrantRecord] = {}
        self.campaigns: dict[UUID, Campaign] = {}

    async def apply(self, connection: Connection, operation: Operation) -> dict[str, Any]:
        """Grant what the campaigns give and return the answer to be stored.

        Raises:
            InvalidInput: the event's time is out of bounds.
            NotFound: the member is unknown.
        """
        occurred_at = self.command.occurred_at or operation.at
        if errors := check_time(occurred_at, operation.at):
            raise InvalidInput(errors)
        member_id, facts = await self._find_member(connection)
        judgments = await self._judge(connection, operation, occurred_at, facts)
        rewards = await self._find_rewards(connection, judgments)
        uses = [use for reward in rewards.values() if (use := reward.credit_use)]
        forbidden = await find_forbidden_uses(connection, self.caller, uses)
        await self._judge_limits(connection, judgments, member_id, occurred_at)
        if self.command.is_dry_run:
            await self._explain(connection, judgments, rewards, forbidden)
        lines = plan_lines(
            self.caller, self.command, operation, judgments, rewards, forbidden, member_id
        )
        results = await self._award(connection, operation, *lines)
        self.grants = {r.id: r for r in results.values() if isinstance(r, GrantRecord)}
        await self._count(connection, operation, judgments, results, member_id, occurred_at)
        return to_answer(member_id, occurred_at, judgments, results)

    async def _find_member(self, connection: Connection) -> tuple[UUID, dict[str, Any]]:
        tenant_id = self.caller.tenant_id
        (member_id,) = await find_members(connection, tenant_id, [self.command.member])
        if member_id is None:
            raise NotFound("No such member.", ("input", "member"))
        member = (await fetch_members(connection, tenant_id, [member_id]))[member_id]
        return member_id, {
            "id": encode_id(IdKind.MEMBER, member_id),
            "displayName": member.display_name or "",
            "createdAt": member.created_at,
        }

    async def _judge(
        self,
        connection: Connection,
        operation: Operation,
        occurred_at: datetime,
        member_facts: Mapping[str, Any],
    ) -> list[Judgment]:
        """Judge the campaigns by all but their limits."""
        command = self.command
        fetch = fetch_explained if command.is_dry_run else fetch_listening
        scope = (self.caller.tenant_id, self.caller.organization_id)
        campaigns = await fetch(connection, *scope, command.event_type)
        self.campaigns = {campaign.id: campaign for campaign in campaigns}
        event = {"id": command.event_id, "type": command.event_type, "occurredAt": occurred_at}
        evaluation = Evaluation(command.payload, member_facts, event, occurred_at, operation.at)
        return [judge_campaign(campaign, evaluation) for campaign in campaigns]

    async def _find_rewards(
        self, connection: Connection, judgments: Sequence[Judgment]
    ) -> dict[UUID, Reward]:
        wanted = {
            reward_id
            for judgment in judgments
            for index, tier in enumerate(judgment.campaign.tiers)
            if self.command.is_dry_run or judgment.refusal_of(index) is None
            for reward_id in tier.reward_ids
        }
        scope = (self.caller.tenant_id, self.caller.organization_id)
        return await fetch_rewards(connection, *scope, sorted(wanted))

    async def _judge_limits(
        self,
        connection: Connection,
        judgments: Sequence[Judgment],
        member_id: UUID,
        occurred_at: datetime,
    ) -> None:
        """Look at the limits: those that would be used, locked; or all of them in a dry run, which holds nobody up."""
        is_dry_run = self.command.is_dry_run
        uses = [
            to_use(slot, member_id, occurred_at)
            for judgment in judgments
            for slot in (judgment.campaign.slots if is_dry_run else judgment.open_slots)
        ]
        used = await fetch_used(
            connection, self.caller.tenant_id, uses, occurred_at, is_locking=not is_dry_run
        )
        for judgment in judgments:
            judge_limits(judgment, used, occurred_at)

    async def _explain(
        self,
        connection: Connection,
        judgments: Sequence[Judgment],
        rewards: Mapping[UUID, Reward],
        forbidden_uses: Set[AssetUse],
    ) -> None:
        """Add what decides nothing here but explains much: what budgets have left, and whether rewards can be given."""
        tenant_id = self.caller.tenant_id
        budgets = [budget for judged in judgments if (budget := judged.campaign.budget)]
        left = await fetch_available(connection, tenant_id, budgets)
        assets = await load_assets(connection, tenant_id, {budget.asset_id for budget in budgets})
        for judgment in judgments:
            if budget := judgment.campaign.budget:
                judge_budget(judgment, assets[budget.asset_id], left[budget.id])
            for tier, verdict in zip(judgment.campaign.tiers, judgment.tiers, strict=True):
                for reward_id in tier.reward_ids:
                    verdict.checks.append(_check_reward(rewards.get(reward_id), forbidden_uses))

    async def _award(
        self,
        connection: Connection,
        operation: Operation,
        refused: Mapping[EffectKey, LineResult],
        lines: Mapping[EffectKey, Line],
    ) -> dict[EffectKey, LineResult]:
        awarded = (
            await award(
                connection,
                self.caller.tenant_id,
                list(lines.values()),
                operation.at,
                limited_credential_id=self.caller.limited_credential_id,
            )
            if lines
            else []
        )
        return {**refused, **dict(zip(lines, awarded, strict=True))}

    async def _count(
        self,
        connection: Connection,
        operation: Operation,
        judgments: Sequence[Judgment],
        results: Mapping[EffectKey, LineResult],
        member_id: UUID,
        occurred_at: datetime,
    ) -> None:
        """Use each limit once whose campaign or tier really gave something."""
        gave = {key[:2] for key, result in results.items() if isinstance(result, GrantRecord)}
        gave_ids = {campaign_id for campaign_id, _ in gave}
        uses = [
            to_use(slot, member_id, occurred_at)
            for judgment in judgments
            for slot in judgment.open_slots
            if (judgment.campaign.id in gave_ids)
            and (slot.tier_index is None or (judgment.campaign.id, slot.tier_index) in gave)
        ]
        # A dry run is undone, and has locked no row to count on.
        if not self.command.is_dry_run:
            tenant_id = self.caller.tenant_id
            await add_uses(connection, tenant_id, uses, occurred_at, operation.id)


def _check_reward(reward: Reward | None, forbidden_uses: Set[AssetUse]) -> Check:
    refusal: Refusal | None = find_refusal(reward, forbidden_uses)
    if refusal is not None:
        return Check(CheckKind.REWARD, is_passed=False, message=" ".join(refusal.reasons))
    name = reward.name if reward else ""
    return Check(CheckKind.REWARD, is_passed=True, message=f"The reward is active: {name}.")
