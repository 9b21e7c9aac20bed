"""Holds under random sequences, some of them at once, against a model that knows only numbers (CAP-4)."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg
import pytest

from gateway.grants.errors import InsufficientBalance
from gateway.holding.expiry import expire_holds
from gateway.ledger.model import HoldEnded
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.world import World, open_world

STEPS = 60
pytestmark = pytest.mark.requirement("CAP-4")


@dataclass
class Model:
    """What a member has, and what is held of it, by hold."""

    posted: int = 0
    open: dict[UUID, int] = field(default_factory=dict)
    ended: list[UUID] = field(default_factory=list)

    @property
    def available(self) -> int:
        return self.posted - sum(self.open.values())


async def assert_same(world: World, member: UUID, model: Model) -> None:
    rows = await world.database.fetch(
        "SELECT posted_minor, held_minor FROM accounts WHERE owner_id = $1", member
    )
    found = [tuple(row) for row in rows] or [(0, 0)]
    assert found == [(model.posted, sum(model.open.values()))]


class Player:
    """Does random things to a member's holds, in the world and in the model."""

    def __init__(self, world: World, owner: asyncpg.Connection[asyncpg.Record], seed: int) -> None:
        self.world = world
        self.owner = owner
        self.random = random.Random(seed)
        self.model = Model()
        self.member = world.members[0]
        self.step = 0

    async def play(self) -> None:
        self.step += 1
        actions = [self.give, self.spend, self.reserve, self.reserve, self.capture, self.release]
        await self.random.choice([*actions, self.end_again, self.expire])()

    async def give(self) -> None:
        amount = self.random.randint(1, 20)
        await self.world.distribute(f"give-{self.step}", [(self.member, amount, 0)])
        self.model.posted += amount

    async def spend(self) -> None:
        amount = self.random.randint(1, 20)
        if amount <= self.model.available:
            await self.world.distribute(f"spend-{self.step}", [(self.member, -amount, 0)])
            self.model.posted -= amount

    async def reserve(self) -> None:
        amount = self.random.randint(1, 20)
        key = f"reserve-{self.step}"
        if amount > self.model.available:
            with pytest.raises(InsufficientBalance):
                await self.world.reserve(key, self.member, amount)
            return
        self.model.open[(await self.world.reserve(key, self.member, amount)).hold.id] = amount

    async def capture(self) -> None:
        if not self.model.open:
            return
        hold_id = self.random.choice(list(self.model.open))
        amount = self.random.randint(1, self.model.open.pop(hold_id))
        await self.world.capture(f"capture-{self.step}", hold_id, amount)
        self.model.posted -= amount
        self.model.ended.append(hold_id)

    async def release(self) -> None:
        if not self.model.open:
            return
        hold_id = self.random.choice(list(self.model.open))
        del self.model.open[hold_id]
        await self.world.release(f"release-{self.step}", hold_id)
        self.model.ended.append(hold_id)

    async def end_again(self) -> None:
        if not self.model.ended:
            return
        hold_id = self.random.choice(self.model.ended)
        end = self.random.choice([self.world.capture, self.world.release])
        with pytest.raises(HoldEnded):
            await end(f"again-{self.step}", hold_id)

    async def expire(self) -> None:
        if not self.model.open:
            return
        hold_id = self.random.choice(list(self.model.open))
        await self.owner.execute(
            "UPDATE holds SET created_at = now() - interval '9s', expires_at = now() - interval '1s' WHERE id = $1",
            hold_id,
        )
        tenant_id = self.world.caller.tenant_id
        counts = await asyncio.gather(
            *(expire_holds(self.world.database, tenant_id, 9) for _ in range(3))
        )
        assert sum(counts) == 1
        del self.model.open[hold_id]
        self.model.ended.append(hold_id)


@pytest.mark.parametrize("seed", range(4))
async def test_holds_follow_the_model(
    database: Database, owner_database_url: str, seed: int
) -> None:
    world = await open_world(database)
    owner = await asyncpg.connect(owner_database_url)
    player = Player(world, owner, seed)
    for _ in range(STEPS):
        await player.play()
        await assert_same(world, player.member, player.model)
    await owner.close()
    assert await verify(database) == []
