"""Lots under random credits, spending, holds, reversals and time, against a model that is a list of numbers (ALL-7)."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from gateway.expiring.expire_lots import expire_lots
from gateway.grants.errors import NotReversible
from gateway.holding.ending import capture, release
from gateway.holding.model import CaptureCommand, ReleaseCommand, ReserveCommand
from gateway.holding.reserve import reserve
from gateway.ledger.assets import AssetKind
from gateway.reversing.model import ReversalPolicy
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset
from gateway.verifying.verify import verify
from tests.catalog import Shop, open_shop
from tests.use_cases import add_member, distribute, line, named, reverse

DAYS = 10
STEPS = 70
pytestmark = pytest.mark.requirement("ALL-7")


@dataclass
class Model:
    """Lots as pairs of days left and amount, the soonest expiring first; what is owed; and what is held."""

    lots: list[list[int]] = field(default_factory=list)
    owed: int = 0
    held: int = 0

    @property
    def posted(self) -> int:
        return sum(amount for _, amount in self.lots) - self.owed

    @property
    def available(self) -> int:
        return self.posted - self.held

    def credit(self, amount: int) -> None:
        repaid = min(amount, self.owed)
        self.owed -= repaid
        if amount > repaid:
            self.lots.append([DAYS, amount - repaid])

    def debit(self, amount: int) -> None:
        while amount and self.lots:
            taken = min(amount, self.lots[0][1])
            self.lots[0][1] -= taken
            amount -= taken
            if not self.lots[0][1]:
                del self.lots[0]
        self.owed += amount

    def expire(self) -> None:
        due = sum(amount for days, amount in self.lots if days <= 0)
        self.debit(max(0, min(due, self.available)))


class Player:
    """Does random things to a member's points, in the world and in the model."""

    def __init__(
        self,
        shop: Shop,
        member: UUID,
        asset: UUID,
        owner: asyncpg.Connection[asyncpg.Record],
        seed: int,
    ) -> None:
        self.shop = shop
        self.member = member
        self.asset = asset
        self.owner = owner
        self.random = random.Random(seed)
        self.model = Model()
        self.grants: dict[UUID, int] = {}
        self.holds: dict[UUID, int] = {}
        self.step = 0

    async def play(self) -> None:
        self.step += 1
        actions = [self.move, self.move, self.batch, self.hold, self.end_hold, self.take_back]
        await self.random.choice([*actions, self.pass_time, self.pass_time])()

    async def distribute(self, amounts: list[int]) -> list[UUID]:
        lines = [line(self.shop, self.member, amount, currency_id=self.asset) for amount in amounts]
        made = await distribute(self.shop, f"d-{self.step}", *lines)
        return list(made.fresh_grants)

    async def move(self) -> None:
        amount = self.random.randint(1, 20)
        if self.random.random() < 0.6:
            (grant_id,) = await self.distribute([amount])
            self.grants[grant_id] = amount
            self.model.credit(amount)
        elif amount <= self.model.available:
            await self.distribute([-amount])
            self.model.debit(amount)

    async def batch(self) -> None:
        """Several credits and debits in one posting; a line that has too little is refused by itself."""
        amounts = [self.random.choice([-1, 1]) * self.random.randint(1, 15) for _ in range(5)]
        possible = []
        for amount in amounts:
            if amount > 0:
                self.model.credit(amount)
                possible.append(amount)
            elif -amount <= self.model.available:
                self.model.debit(-amount)
                possible.append(amount)
        if possible:
            await self.distribute(amounts)

    async def hold(self) -> None:
        amount = self.random.randint(1, 10)
        if amount <= self.model.available:
            command = ReserveCommand(
                f"h-{self.step}", named(self.member), self.asset, Decimal(amount), 600
            )
            placed = await reserve(self.shop.database, self.shop.caller, command)
            self.holds[placed.hold.id] = amount
            self.model.held += amount

    async def end_hold(self) -> None:
        if not self.holds:
            return
        hold_id = self.random.choice(list(self.holds))
        amount = self.holds.pop(hold_id)
        self.model.held -= amount
        database, caller = self.shop.database, self.shop.caller
        if self.random.random() < 0.5:
            await release(database, caller, ReleaseCommand(f"r-{self.step}", hold_id))
            return
        taken = self.random.randint(1, amount)
        await capture(database, caller, CaptureCommand(f"c-{self.step}", hold_id, Decimal(taken)))
        self.model.debit(taken)

    async def take_back(self) -> None:
        if not self.grants:
            return
        given = self.random.choice(list(self.grants))
        policy = self.random.choice(list(ReversalPolicy))
        if policy is ReversalPolicy.ALLOW_DEBT or self.grants[given] <= self.model.available:
            await reverse(self.shop, f"v-{self.step}", given, policy=policy)
            self.model.debit(self.grants.pop(given))
        else:
            with pytest.raises(NotReversible):
                await reverse(self.shop, f"v-{self.step}", given, policy=policy)

    async def pass_time(self) -> None:
        days = self.random.randint(1, 6)
        await self.owner.execute(
            "UPDATE lots SET expires_at = expires_at - make_interval(days => $1)", days
        )
        for lot in self.model.lots:
            lot[0] -= days
        await expire_lots(self.shop.database, self.shop.caller.tenant_id, 10)
        self.model.expire()

    async def assert_same(self) -> None:
        rows = await self.owner.fetch(
            """SELECT ceil(extract(epoch FROM expires_at - now()) / 86400)::int, remaining_minor
            FROM lots WHERE remaining_minor > 0 ORDER BY expires_at, sequence"""
        )
        assert [list(row) for row in rows] == self.model.lots
        found = await self.owner.fetch(
            "SELECT posted_minor, held_minor, debt_minor FROM accounts WHERE owner_id = $1 AND asset_id = $2",
            self.member,
            self.asset,
        )
        expected = (self.model.posted, self.model.held, max(0, -self.model.available))
        assert [tuple(row) for row in found] in ([expected], [])


@pytest.mark.parametrize("seed", range(5))
async def test_lots_follow_the_model(
    database: Database, owner_database_url: str, seed: int
) -> None:
    shop = await open_shop(database)
    command = CreateAsset("a-1", "SEASON", "Points", AssetKind.POINTS, expires_after_days=DAYS)
    asset = (await create_asset(database, shop.caller, command)).asset
    owner = await asyncpg.connect(owner_database_url)
    player = Player(shop, await add_member(shop), asset.id, owner, seed)
    for _ in range(STEPS):
        await player.play()
        await player.assert_same()
    await owner.close()
    assert await verify(database) == []
