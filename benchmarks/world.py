"""The gateway's data to measure with, made by its own use cases: members, tokens, rewards, and wallets with a history.

Names are the same on every side: member number N has the external id `member-N`; the first ones have wallets worth showing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from benchmarks.databases import SideDatabase
from benchmarks.plan import Plan
from gateway.access import PARTNER_SCOPES, Caller
from gateway.distributing.distribute_rewards import distribute_rewards
from gateway.distributing.model import DistributeCommand, DistributionLine, Recipient
from gateway.granting.grant_reward import grant_reward
from gateway.granting.model import CustomReward, GrantCommand
from gateway.ids import IdKind, encode_id, new_id, new_ids
from gateway.issuing.issue_rewards import issue_rewards
from gateway.issuing.model import IssueCommand, IssueItem
from gateway.members.creating import create_members
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import Identifier, MemberReference, NewMember
from gateway.rewards.competitions import CreateCompetition, create_competition
from gateway.rewards.creating import CreateReward, create_reward
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import PaymentMode, RewardStatus
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.types.base import Draft
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import DiscountType, NonUniqueCouponDraft
from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Connection, Database
from gateway.tenants.credentials import create_member_token, create_partner_token
from gateway.tenants.founding import create_tenant

POINTS_AT_FIRST = 1_000_000_000
PRICE = 20
POOL_SIZE = 8
# A wallet has one more than fits on a page of 20, so that there is a next page.
ISSUED_TWICE = 2
GRANTED = 5
DISTRIBUTED = 5


@dataclass(frozen=True, slots=True)
class World:
    """One tenant. `rewards` are the five that are paid for with points; `member_tokens` are of the members with wallets."""

    caller: Caller
    member_ids: Sequence[UUID]
    rewards: Sequence[UUID]
    partner_token: str
    member_tokens: Sequence[str]


def external_id(number: int) -> str:
    """Return the external id of member number `number`."""
    return f"member-{number}"


def wallet_address(number: int) -> str:
    """Return the wallet address of member number `number`, in lower case."""
    return f"0x{number:040x}"


def open_world(database: SideDatabase, plan: Plan) -> World:
    """Fill an empty, migrated database."""

    async def work() -> World:
        pool = await Database.open(
            database.owner_url, pool_size_max=POOL_SIZE, keys=database.keys()
        )
        try:
            return await _fill(pool, plan)
        finally:
            await pool.close()

    world = asyncio.run(work())
    # As autovacuum would soon do; a plan made before it knows the tables would stay with its connection.
    database.execute("ANALYZE")
    return world


async def _fill(database: Database, plan: Plan) -> World:
    founded = await create_tenant(database, "Benchmark", "Benchmark Rewards")
    tenant, organization_id = founded.tenant, founded.organization.id
    partner = await create_partner_token(
        database, tenant.id, organization_id, "benchmark", PARTNER_SCOPES
    )
    partner_id = partner.credential.partner_id
    caller = Caller(tenant.id, organization_id, partner_id, PARTNER_SCOPES, tenant.standard_assets)
    member_ids = await create_numbered_members(database, caller, plan.members)
    rewards = await _create_rewards(database, caller)
    await _give_points(database, caller, plan.members)
    with_wallets = member_ids[: plan.wallets]
    await _fill_wallets(database, caller, with_wallets, rewards)
    tokens = [
        await create_member_token(database, tenant.id, organization_id, member_id)
        for member_id in with_wallets
    ]
    return World(caller, member_ids, rewards, partner.text, [token.text for token in tokens])


async def create_numbered_members(database: Database, caller: Caller, count: int) -> list[UUID]:
    """Make members who have an external id and a wallet address, and return their ids in the order of their numbers."""
    ids = new_ids(count)
    members = [
        NewMember(
            member_id,
            (
                Identifier(IdentifierKind.EXTERNAL_ID, external_id(number)),
                Identifier(IdentifierKind.WALLET_ADDRESS, wallet_address(number)),
            ),
            f"Member {number}",
        )
        for number, member_id in enumerate(ids)
    ]

    async def work(connection: Connection) -> None:
        await create_members(
            connection, caller.tenant_id, caller.organization_id, members, datetime.now(UTC)
        )

    await database.run_transaction(work)
    return ids


async def _create_rewards(database: Database, caller: Caller) -> list[UUID]:
    """Make five rewards that cost points and do not share a stock, over which all requests would queue."""
    competitions = [
        await create_competition(database, caller, CreateCompetition(f"draw-{number}", "Draw"))
        for number in (1, 2)
    ]
    experience_id = caller.standard_assets.experience_id
    drafts: Mapping[str, Draft] = {
        "Autumn draw": CompetitionEntryConfiguration(competitions[0].competition.id, 1),
        "Winter draw": CompetitionEntryConfiguration(competitions[1].competition.id, 2),
        "Welcome discount": NonUniqueCouponDraft("WELCOME20", DiscountType.PERCENTAGE, Decimal(20)),
        "Holiday discount": NonUniqueCouponDraft("HOLIDAY5", DiscountType.FIXED, Decimal(5)),
        "Experience boost": PointsDraft(Decimal(100), experience_id),
    }
    points_id = caller.standard_assets.points_id
    price = PaymentConfigDraft(PaymentMode.POINTS, asset_id=points_id, amount=Decimal(PRICE))
    outcomes = [
        await create_reward(
            database,
            caller,
            CreateReward(
                name.replace(" ", "-"),
                RewardFields(name, None, draft, {}, RewardStatus.ACTIVE, (price,)),
            ),
        )
        for name, draft in drafts.items()
    ]
    return [outcome.reward.id for outcome in outcomes]


async def _give_points(database: Database, caller: Caller, count: int) -> None:
    lines = [_line(caller, number, POINTS_AT_FIRST, 1) for number in range(count)]
    await distribute_rewards(database, caller, DistributeCommand("points-at-first", lines))


def _line(
    caller: Caller, number: int, points: int, experience_points: int | None
) -> DistributionLine:
    recipient = Recipient(IdentifierKind.EXTERNAL_ID, external_id(number))
    points_id = str(caller.standard_assets.points_id)
    return DistributionLine(recipient, points_id, Decimal(points), experience_points)


async def _fill_wallets(
    database: Database, caller: Caller, member_ids: Sequence[UUID], rewards: Sequence[UUID]
) -> None:
    """Give each of these members ten issued rewards, five distributed ones and five dollars five times."""
    members = [MemberReference(None, str(member_id)) for member_id in member_ids]
    items = [IssueItem(reward, encode_id(IdKind.REWARD, reward)) for reward in rewards]
    limit = asyncio.Semaphore(POOL_SIZE)

    async def issue(member: MemberReference) -> None:
        async with limit:
            command = IssueCommand(str(new_id()), member, items * ISSUED_TWICE)
            await issue_rewards(database, caller, command)

    async def grant(member: MemberReference) -> None:
        async with limit:
            for _ in range(GRANTED):
                command = GrantCommand(
                    str(new_id()), member, CustomReward(Decimal(5)), "daily.check-in", {}
                )
                await grant_reward(database, caller, command)

    await asyncio.gather(*map(issue, members))
    lines = [_line(caller, number, 5, 10) for number in range(len(members))] * DISTRIBUTED
    await distribute_rewards(database, caller, DistributeCommand("history", lines))
    await asyncio.gather(*map(grant, members))
