"""Some history for the demo member: grants of every source, one of them claimed."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from uuid import UUID

from gateway.access import Caller
from gateway.claiming.claim_rewards import claim_rewards
from gateway.claiming.model import ClaimCommand
from gateway.distributing.distribute_rewards import distribute_rewards
from gateway.distributing.model import DistributeCommand, DistributionLine, Recipient
from gateway.granting.grant_reward import grant_reward
from gateway.granting.model import CatalogReward, CustomReward, GrantCommand
from gateway.issuing.issue_rewards import issue_rewards
from gateway.issuing.model import IssueCommand, IssueItem
from gateway.members.model import MemberReference
from gateway.storage.database import Database


async def write_history(
    database: Database,
    caller: Caller,
    member_id: UUID,
    currency_id: UUID,
    rewards: Mapping[str, UUID],
) -> dict[str, UUID]:
    """Grant, claim, issue and distribute a little; return a grant that waits for its claim and one to reverse."""
    member = MemberReference(None, str(member_id))
    custom = await grant_reward(
        database,
        caller,
        GrantCommand(
            "demo-order-1", member, CustomReward(Decimal(10)), "device.purchase", {"order": "1"}
        ),
    )
    await claim_rewards(database, caller, ClaimCommand("demo-claim-1", member, [custom.grant.id]))
    waiting = await grant_reward(
        database,
        caller,
        GrantCommand("demo-order-2", member, CustomReward(Decimal(5)), "app.migration", {}),
    )
    # Not claimed, so that it can be reversed whatever the member has spent meanwhile.
    reversible = await grant_reward(
        database,
        caller,
        GrantCommand("demo-order-3", member, CustomReward(Decimal(7)), "device.purchase", {}),
    )
    for number in (1, 2):
        await grant_reward(
            database,
            caller,
            GrantCommand(
                f"demo-quiz-{number}",
                member,
                CatalogReward(rewards["points"]),
                "quiz.completed",
                {"reason": "Quiz completed"},
            ),
        )
    await issue_rewards(
        database,
        caller,
        IssueCommand("demo-issue-1", member, [IssueItem(rewards["product"], "", event_log_id="1")]),
    )
    line = DistributionLine(Recipient(None, f"mem_{member_id}"), str(currency_id), Decimal(250), 50)
    await distribute_rewards(
        database,
        caller,
        DistributeCommand("demo-distribution-1", [line], "Demo history", "Welcome to the demo!"),
    )
    return {"confirmedGrantId": waiting.grant.id, "reversibleGrantId": reversible.grant.id}
