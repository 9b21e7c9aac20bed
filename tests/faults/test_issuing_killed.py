"""What issuing writes beside grants, broken off in the same three ways as every operation: codes, cash, stages, groups."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.ids import IdKind, encode_id
from gateway.issuing.fulfillment.updating import UpdateFulfillment, update_fulfillment
from gateway.issuing.model import IssueItem, PaymentChoice
from gateway.members.groups.model import GroupReference
from gateway.rewards.model import PaymentMode, Reward
from gateway.rewards.payments import PaymentConfigDraft
from gateway.storage.database import Database
from tests.catalog import Shop
from tests.faults.test_killed import (  # The three tests are collected here too, over this file's bench.
    TRIES_MAX,
    Bench,
    Owner,
    Work,
    test_a_backend_terminated_before_any_statement,  # noqa: F401
    test_a_gateway_killed_at_any_statement,  # noqa: F401
    test_the_reply_of_commit_lost,  # noqa: F401
)
from tests.issuing_cases import (
    add_group,
    by_id,
    declare_stages,
    declare_till,
    fund,
    mug,
    request_code,
)
from tests.use_cases import cash_of, issue, item, points_of
from tests.world import World, open_world

pytestmark = pytest.mark.usefixtures("steady_statements")


def _shop(world: World) -> Shop:
    return Shop(world.database, world.caller, world.caller)


@dataclass(slots=True)
class RulesBench(Bench):
    """Each try has a member with a group, a code for the till, and a payment in cash."""

    till_id: UUID | None = None
    reward: Reward | None = None
    prepare: Callable[[RulesBench, str, UUID, GroupReference], Awaitable[Work]] | None = None

    async def new_try(self) -> Work:
        """Return the operation with a key of its own, for a member who has been in no earlier try."""
        self.tries += 1
        member, key = self.world.members[self.tries], f"try-{self.tries}"
        await self.world.distribute(f"fund-{key}", [(member, 7, 0)])
        shop = _shop(self.world)
        group = by_id((await add_group(shop, member)).id)
        assert self.prepare is not None
        return await self.prepare(self, key, member, group)


async def prepare_issuance(
    bench: RulesBench, key: str, member: UUID, group: GroupReference
) -> Work:
    assert bench.till_id is not None
    assert bench.reward is not None
    assert group.id is not None
    reward = bench.reward
    await fund(_shop(bench.world), group.id, member, 4)
    code = await request_code(_shop(bench.world), bench.till_id, member)

    async def work(world: World) -> Any:
        wanted = item(reward, payment=PaymentChoice(cash_reference=f"receipt-{key}"))
        return await issue(
            _shop(world), key, member, wanted, group=group, till="Till 1", validation_code=code
        )

    return work


async def prepare_funding(bench: RulesBench, key: str, member: UUID, group: GroupReference) -> Work:
    del bench

    async def work(world: World) -> Any:
        assert group.id is not None
        return await fund(_shop(world), group.id, member, 3, request_id=key)

    return work


async def prepare_move(bench: RulesBench, key: str, member: UUID, _: GroupReference) -> Work:
    reward_id = bench.world.points_reward
    wanted = IssueItem(reward_id, encode_id(IdKind.REWARD, reward_id))
    shop = _shop(bench.world)
    outcome = await issue(shop, f"issued-{key}", member, wanted, skips_validation=True)
    made = outcome.items[0].grant
    assert made is not None

    async def work(world: World) -> Any:
        command = UpdateFulfillment(key, made.id, "DELIVERED", "at the door")
        return await update_fulfillment(world.database, world.caller, command)

    return work


@pytest.fixture(params=[prepare_issuance, prepare_funding, prepare_move], ids=lambda p: p.__name__)
async def bench(request: pytest.FixtureRequest, database: Database, owner: Owner) -> RulesBench:
    world = await open_world(database, member_count=TRIES_MAX)
    shop = _shop(world)
    await declare_stages(shop, "BOOKED", "DELIVERED")
    config = PaymentConfigDraft(
        PaymentMode.POINTS_CASH,
        asset_id=points_of(shop),
        amount=Decimal(2),
        cash_asset_id=cash_of(shop),
        cash_amount=Decimal(1),
    )
    return RulesBench(
        world=world,
        owner=owner,
        call=_never,
        till_id=await declare_till(shop),
        reward=await mug(shop, payment_configs=(config,)),
        prepare=request.param,
    )


async def _never(*_: object) -> None:
    raise AssertionError("each try prepares its own call")
