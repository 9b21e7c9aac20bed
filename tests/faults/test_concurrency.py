"""Many callers at once: one run for each key, no code twice, no point spent twice, no deadlock."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import asyncpg
import pytest

from gateway.errors import Overloaded, RewardsError
from gateway.grants import coupon_store
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.ledger.model import OwnerKind
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.faults.conftest import OpenGateway
from tests.plugins.figures import SayFigures
from tests.sealing import code_of
from tests.world import COUPON_PRICE, MUG_PRICE, World, open_world

Result = TypeVar("Result")


async def settle(
    calls: Sequence[Coroutine[Any, Any, Result]],
) -> tuple[list[Result], Counter[str]]:
    """Run all calls at once and return the answers, and how many were refused with which code."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    answers: list[Result] = []
    refusals: Counter[str] = Counter()
    for result in results:
        if isinstance(result, RewardsError):
            refusals[result.code] += 1
        elif isinstance(result, BaseException):
            raise result
        else:
            answers.append(result)
    return answers, refusals


async def assert_sound(world: World) -> None:
    assert await verify(world.database) == []


@pytest.mark.requirement("OWN-6", "ALL-2")
async def test_500_uses_of_one_key_run_once(database: Database, say_figures: SayFigures):
    world = await open_world(database)
    started = time.perf_counter()
    answers, refusals = await settle(
        [world.grant_cash("one", world.members[0]) for _ in range(500)]
    )
    seconds = time.perf_counter() - started
    assert refusals == {}
    assert [answer.idempotent_replay for answer in answers].count(False) == 1
    assert len({answer.grant.id for answer in answers}) == 1
    assert len(await database.fetch("SELECT FROM grants")) == 1
    await assert_sound(world)
    say_figures(f"500 uses, 1 run, 499 replays, {seconds:.2f} s")


@pytest.mark.requirement("OWN-6", "ALL-2")
async def test_100_callers_of_four_gateways_share_one_run(
    database: Database, open_gateway: OpenGateway, say_figures: SayFigures
):
    world = await open_world(database)
    gateways = [replace(world, database=await open_gateway(pool_size_max=25)) for _ in range(4)]
    lines = [(member, 5, 1) for member in world.members]
    started = time.perf_counter()
    answers, refusals = await settle(
        [gateways[caller % 4].distribute("one", lines) for caller in range(100)]
    )
    seconds = time.perf_counter() - started
    assert refusals == {}
    assert [answer.idempotent_replay for answer in answers].count(False) == 1
    assert len({answer.transaction_id for answer in answers}) == 1
    assert [await world.points_of(member) for member in world.members] == [5, 5, 5]
    await assert_sound(world)
    say_figures(f"100 connections, 1 run, 99 waited and replayed, {seconds:.2f} s")


@pytest.mark.requirement("MON-10")
async def test_500_takers_of_200_codes_get_200(database: Database, say_figures: SayFigures):
    codes = [f"code-{number}" for number in range(200)]
    world = await open_world(database, member_count=500, codes=codes)
    started = time.perf_counter()
    answers, refusals = await settle(
        [
            world.grant(f"take-{taker}", member, world.coupon_reward)
            for taker, member in enumerate(world.members)
        ]
    )
    seconds = time.perf_counter() - started
    given = [code_of(world, answer.grant) for answer in answers]
    assert sorted(given) == sorted(codes)
    assert refusals == {"POOL_EXHAUSTED": 300}
    await assert_sound(world)
    say_figures(f"500 takers, 200 codes given, 300 refused, {seconds:.2f} s")


@pytest.mark.requirement("MON-10")
async def test_100_requests_for_one_member_draw_one_code(database: Database):
    world = await open_world(database, codes=[f"code-{number}" for number in range(100)])
    member = world.members[0]
    answers, refusals = await settle(
        [world.grant(f"ask-{number}", member, world.coupon_reward) for number in range(100)]
    )
    assert refusals == {}
    assert Counter(answer.status.code for answer in answers) == {
        StatusCode.GRANTED: 1,
        StatusCode.ALREADY_ISSUED: 99,
    }
    assert len({answer.grant.id for answer in answers}) == 1
    assert len(await database.fetch("SELECT FROM codes WHERE status = 'GRANTED'")) == 1
    await assert_sound(world)


@pytest.mark.requirement("MON-10", "ALL-4")
async def test_coupons_granted_and_taken_back_at_once_stay_one_per_member(
    database: Database, say_figures: SayFigures
):
    """A holder whose coupon is being reversed is asked for a new one at the same moment."""
    world = await open_world(database, codes=[f"code-{number}" for number in range(300)])
    member = world.members[0]
    outcomes: Counter[str] = Counter()
    for turn in range(25):
        holder = await world.grant(f"hold-{turn}", member, world.coupon_reward)
        asking = [world.grant(f"a-{turn}-{n}", member, world.coupon_reward) for n in range(6)]
        taking = [world.reverse(f"r-{turn}-{n}", holder.grant.id) for n in range(3)]
        (answers, refusals), (_, losers) = await asyncio.gather(settle(asking), settle(taking))
        outcomes.update(answer.status.code for answer in answers)
        assert (refusals, losers) == ({}, {"NOT_REVERSIBLE": 2})
    await assert_sound(world)
    say_figures(f"25 rounds of 6 grants and 3 reversals: {dict(outcomes)}")


@pytest.mark.requirement("MON-10", "ALL-4")
async def test_a_coupon_taken_back_between_two_looks_is_granted_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    """The holder is there when the request tries to become holder, and gone when it asks who that is."""
    world = await open_world(database, codes=["first", "second"])
    member = world.members[0]
    held = (await world.grant("held", member, world.coupon_reward)).grant
    fetch_holders = coupon_store.fetch_holders

    async def look_too_late(*arguments: Any) -> Any:
        await world.reverse(f"late-{new_id()}", held.id)
        return await fetch_holders(*arguments)

    monkeypatch.setattr(coupon_store, "fetch_holders", look_too_late)
    anew = await world.grant("anew", member, world.coupon_reward)
    assert anew.status.code is StatusCode.GRANTED
    assert {code_of(world, held), code_of(world, anew.grant)} == {"first", "second"}
    await assert_sound(world)


@pytest.mark.requirement("MON-10")
async def test_a_coupon_that_always_vanishes_is_no_fault(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    world = await open_world(database, codes=["first", "second"])
    member = world.members[0]
    await world.grant("held", member, world.coupon_reward)

    async def find_nobody(*_: Any) -> dict[Any, Any]:
        return {}

    monkeypatch.setattr(coupon_store, "fetch_holders", find_nobody)
    with pytest.raises(Overloaded):
        await world.grant("anew", member, world.coupon_reward)
    await assert_sound(world)


@pytest.mark.requirement("CAP-2", "CAP-4")
@pytest.mark.parametrize("in_groups", [False, True])
async def test_points_are_never_spent_twice(
    database: Database, say_figures: SayFigures, *, in_groups: bool
):
    world = await open_world(database, member_count=1, stock=100)
    world = world.grouped() if in_groups else world
    (member,) = world.members
    await world.distribute("fund", [(member, 10 * MUG_PRICE + 3, 0)])
    answers, refusals = await settle(
        [world.issue(f"buy-{number}", member, world.mug_reward) for number in range(100)]
    )
    assert [answer.outcome for answer in answers] == ["ALL"] * 10
    assert refusals == {"INSUFFICIENT_BALANCE": 90}
    assert await world.points_of(member) == 3
    assert await world.stock() == 80
    await assert_sound(world)
    say_figures("100 buyers with points for 10: 10 issued, 90 refused")


@pytest.mark.requirement("MON-9", "CAP-3", "CAP-4")
@pytest.mark.parametrize("in_groups", [False, True])
async def test_what_cannot_be_given_is_not_paid_for(
    database: Database, say_figures: SayFigures, *, in_groups: bool
):
    world = await open_world(database, member_count=50, stock=21, codes=["a", "b", "c", "d", "e"])
    world = world.grouped() if in_groups else world
    funds = MUG_PRICE + COUPON_PRICE
    await world.distribute("fund", [(member, funds, 0) for member in world.members])
    answers, refusals = await settle(
        [
            world.issue(f"buy-{member}", member, world.mug_reward, world.coupon_reward)
            for member in world.members
        ]
    )
    mugs = sum(answer.items[0].status.is_success for answer in answers)
    coupons = sum(answer.items[1].status.is_success for answer in answers)
    assert (mugs, coupons, refusals) == (10, 5, {})
    left = [await world.points_of(member) for member in world.members]
    assert sum(left) == 50 * funds - 10 * MUG_PRICE - 5 * COUPON_PRICE
    assert await world.stock() == 1
    await assert_sound(world)
    say_figures("50 buyers of 21 mugs by twos and 5 codes: 10 and 5 issued, 105 points taken")


@pytest.mark.requirement("OWN-9")
async def test_a_grant_claimed_by_many_requests_is_credited_once(database: Database):
    world = await open_world(database)
    member = world.members[0]
    grant = (await world.grant_cash("owed", member)).grant
    answers, refusals = await settle(
        [world.claim(f"claim-{number}", member, grant.id, grant.id) for number in range(60)]
    )
    assert refusals == {}
    codes = Counter(answer.results[0].status.code for answer in answers)
    assert codes == {StatusCode.CLAIMED: 1, StatusCode.ALREADY_CLAIMED: 59}
    cash_id = world.caller.standard_assets.cash_id
    assert await world.balance_of(cash_id, member) == 500
    assert await world.balance_of(cash_id, member, OwnerKind.CLAIMABLE) == 0
    await assert_sound(world)


@pytest.mark.requirement("ALL-4", "OWN-9")
async def test_claims_and_reversals_of_one_grant_end_in_one_order(database: Database):
    world = await open_world(database)
    member = world.members[0]
    for turn in range(10):
        grant = (await world.grant_cash(f"owed-{turn}", member)).grant
        claims = [world.claim(f"c-{turn}-{n}", member, grant.id) for n in range(4)]
        reversals = [world.reverse(f"r-{turn}-{n}", grant.id) for n in range(4)]
        (_, refusals), (_, losers) = await asyncio.gather(settle(claims), settle(reversals))
        assert (refusals, losers) == ({}, {"NOT_REVERSIBLE": 3})
    assert await world.balance_of(world.caller.standard_assets.cash_id, member) == 0
    await assert_sound(world)


@pytest.mark.requirement("ON3-8", "ALL-2")
async def test_60_overlapping_shuffled_batches_never_deadlock(
    database: Database,
    open_gateway: OpenGateway,
    owner: asyncpg.Connection[asyncpg.Record],
    say_figures: SayFigures,
):
    world = await open_world(database, member_count=100)
    batches = []
    for number in range(60):
        members = random.sample(world.members, 80)
        batches.append((f"batch-{number}", [(member, 2, 1) for member in members + members[:5]]))
    before = await count_deadlocks(owner)
    gateway = await open_gateway(pool_size_max=30)
    started = time.perf_counter()
    answers, refusals = await settle(
        [replace(world, database=gateway).distribute(key, lines) for key, lines in batches]
    )
    seconds = time.perf_counter() - started
    # A backend reports its counts when it ends, if not before.
    await gateway.close()
    assert (len(answers), refusals) == (60, {})
    assert await count_deadlocks(owner) - before == 0
    total = sum([await world.points_of(member) for member in world.members])
    assert total == 60 * 85 * 2
    await assert_sound(world)
    say_figures(f"60 batches of 85 lines on 30 connections, 0 deadlocks, {seconds:.2f} s")


async def test_a_deadlock_would_be_counted(
    owner: asyncpg.Connection[asyncpg.Record], owner_database_url: str, database: Database
):
    """The count above can rise: two sessions that lock two members in opposite order."""
    world = await open_world(database)
    ada, grace, _ = world.members
    before = await count_deadlocks(owner)

    async def lock(first: object, second: object, both_hold: asyncio.Barrier) -> None:
        connection = await asyncpg.connect(owner_database_url)
        statement = "UPDATE members SET display_name = NULL WHERE id = $1"
        try:
            async with connection.transaction():
                await connection.execute("SET LOCAL deadlock_timeout = '20ms'")
                await connection.execute(statement, first)
                await both_hold.wait()
                await connection.execute(statement, second)
        finally:
            await connection.close()

    barrier = asyncio.Barrier(2)
    ends = await asyncio.gather(
        lock(ada, grace, barrier), lock(grace, ada, barrier), return_exceptions=True
    )
    assert [type(end) for end in ends].count(asyncpg.DeadlockDetectedError) == 1
    assert await count_deadlocks(owner) - before == 1


async def count_deadlocks(owner: asyncpg.Connection[asyncpg.Record]) -> int:
    await owner.execute("SELECT pg_stat_clear_snapshot()")
    # A backend that has ended writes its counts just before it is gone from the list.
    count: int = await owner.fetchval(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    return count
