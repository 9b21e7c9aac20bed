"""Every operation, broken off before every one of its statements and after its commit: it has its effect once, and answers so.

Three ways: the server process of the connection is terminated; the reply of COMMIT is lost; the gateway itself is killed (its
connection drops, none of its code runs any more) and another gateway gets the client's second try.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeAlias, TypeVar
from uuid import UUID

import asyncpg
import pytest

from gateway.errors import Overloaded
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.faults.breaking import Breaker, die, open_breaking, terminate_backend
from tests.plugins.figures import SayFigures
from tests.world import World, count_tables, open_world, run_campaign

Owner: TypeAlias = "asyncpg.Connection[asyncpg.Record]"
TRIES_MAX = 40
pytestmark = pytest.mark.usefixtures("steady_statements")

Answer = TypeVar("Answer")

# Each takes a key, a member with seven points, and a grant that is owed to them.
Call = Callable[[World, str, UUID, UUID], Awaitable[Any]]
Work = Callable[[World], Awaitable[Any]]
OPERATIONS: dict[str, Call] = {
    "grant": lambda world, key, member, _: world.grant_cash(key, member),
    "grant a coupon": lambda world, key, member, _: world.grant(key, member, world.coupon_reward),
    "issue": lambda world, key, member, _: world.issue(
        key, member, world.mug_reward, world.points_reward
    ),
    "distribute": lambda world, key, member, _: world.distribute(
        key, [(member, 5, 2), (member, -3, 0)]
    ),
    # Enough to be copied.
    "distribute many": lambda world, key, member, _: world.distribute(key, [(member, 5, 2)] * 500),
    "claim": lambda world, key, member, owed: world.claim(key, member, owed),
    "reverse": lambda world, key, _, owed: world.reverse(key, owed),
    "record an event": lambda world, key, member, _: world.record(key, member),
}


@dataclass(slots=True)
class Bench:
    """An operation to break off, each time for another member of the same world."""

    world: World
    owner: Owner
    call: Call
    tries: int = 0

    async def new_try(self) -> Work:
        """Return the operation with a key of its own, for a member who has been in no earlier try."""
        self.tries += 1
        member, key = self.world.members[self.tries], f"try-{self.tries}"
        await self.world.distribute(f"fund-{key}", [(member, 7, 0)])
        owed = await self.world.grant_cash(f"owed-{key}", member)
        return lambda world: self.call(world, key, member, owed.grant.id)

    async def measure(self, work: Awaitable[Any]) -> tuple[Any, dict[str, int]]:
        """Return what the work answers, and the rows that it added to each table."""
        before = await count_tables(self.owner)
        answer = await work
        after = await count_tables(self.owner)
        return answer, {name: after[name] - before[name] for name in after}

    async def break_off_each_statement(
        self,
        database_url: str,
        call: Callable[[Work, World], Awaitable[Answer]],
        check: Callable[[Breaker], None] = lambda _: None,
    ) -> tuple[list[str], list[Answer]]:
        """End the connection's server process before each statement in turn, and return the statements and each answer.

        The effect is always the same as that of work which nobody breaks off, after which `check` is called.
        """
        breaker = Breaker(partial(terminate_backend, self.owner))
        database = await open_breaking(database_url, breaker)
        broken_world = replace(self.world, database=database)
        # What a process reads once, it has read before statements are counted.
        await (await self.new_try())(self.world)
        work = await self.new_try()
        breaker.is_armed = True
        _, one_effect = await self.measure(work(broken_world))
        check(breaker)
        statements = list(breaker.statements)
        answers = []
        for place in range(1, len(statements) + 1):
            work = await self.new_try()
            breaker.at, breaker.has_broken = place, False
            breaker.statements.clear()
            answer, effect = await self.measure(call(work, broken_world))
            assert breaker.has_broken
            assert effect == one_effect
            answers.append(answer)
        breaker.is_armed = False
        await database.close()
        assert await verify(self.world.database) == []
        return statements, answers


@pytest.fixture(params=OPERATIONS)
async def bench(request: pytest.FixtureRequest, database: Database, owner: Owner) -> Bench:
    codes = [f"code-{number}" for number in range(TRIES_MAX)]
    world = await open_world(database, member_count=TRIES_MAX, codes=codes)
    await run_campaign(world)
    return Bench(world, owner, OPERATIONS[request.param])


async def call_until_answered(work: Work, world: World) -> tuple[Any, int]:
    """Call as a client does, who tries again with the same key while the gateway says that it is overloaded."""
    for attempt in range(5):
        try:
            return await work(world), attempt
        except Overloaded:
            continue
    raise AssertionError("never answered")


@pytest.mark.requirement("ALL-2", "ON3-7")
async def test_a_backend_terminated_before_any_statement(
    bench: Bench, database_url: str, say_figures: SayFigures
):
    statements, answers = await bench.break_off_each_statement(database_url, call_until_answered)
    retries: Counter[str] = Counter()
    for answer, attempts in answers:
        # Only a read after the commit is not done again inside: the client's second try is then a replay.
        assert answer.idempotent_replay is (attempts > 0)
        retries["by the client" if attempts else "inside"] += 1
    say_figures(f"{len(statements)} statements, each broken off once; tried again {dict(retries)}")


@pytest.mark.requirement("ALL-2", "ALL-4")
async def test_the_reply_of_commit_lost(bench: Bench, database_url: str):
    async def drop(connection: Any) -> None:
        connection.terminate()

    breaker = Breaker(drop, at=None)
    database = await open_breaking(database_url, breaker)
    clean = await bench.new_try()
    _, one_effect = await bench.measure(clean(bench.world))
    work = await bench.new_try()
    breaker.is_armed = True
    answer, effect = await bench.measure(work(replace(bench.world, database=database)))
    assert breaker.has_broken
    assert effect == one_effect
    # It was this very request that did it.
    assert answer.idempotent_replay is False
    await database.close()
    replay = await work(bench.world)
    assert replay.idempotent_replay is True
    assert await verify(bench.world.database) == []


@pytest.mark.requirement("ALL-2", "ALL-4")
async def test_a_gateway_killed_at_any_statement(
    bench: Bench, database_url: str, say_figures: SayFigures
):
    clean = await bench.new_try()
    _, one_effect = await bench.measure(clean(bench.world))
    outcomes: Counter[str] = Counter()
    # Before each statement, until there is no such statement; then, as the last thing, when the commit is done.
    places: list[int | None] = [1]
    for place in places:
        work = await bench.new_try()

        async def kill_and_call_again(
            work: Work = work, place: int | None = place
        ) -> tuple[bool, Any]:
            has_died = await run_and_kill(bench.world, work, database_url, place)
            return has_died, await work(bench.world)

        (has_died, answer), effect = await bench.measure(kill_and_call_again())
        assert effect == one_effect
        if has_died:
            outcomes["replayed" if answer.idempotent_replay else "done anew"] += 1
        if place is not None:
            places.append(place + 1 if has_died else None)
        else:
            assert answer.idempotent_replay is True
    assert await verify(bench.world.database) == []
    say_figures(f"killed {outcomes.total()} times; the second try was {dict(outcomes)}")


async def run_and_kill(world: World, work: Work, database_url: str, place: int | None) -> bool:
    """Run the work on a gateway that dies at a statement, and return whether it came to that."""
    others = asyncio.all_tasks()
    died = asyncio.Event()
    breaker = Breaker(at=place)
    breaker.break_connection = partial(die, breaker, died)
    database = await open_breaking(database_url, breaker)
    breaker.is_armed = True
    running = asyncio.ensure_future(work(replace(world, database=database)))
    dying = asyncio.ensure_future(died.wait())
    await asyncio.wait([running, dying], return_when=asyncio.FIRST_COMPLETED)
    breaker.is_armed = False
    # Groups run in tasks of their own, and what one leaves another takes up: until nothing of the dead is left.
    while left := asyncio.all_tasks() - others:
        for task in left:
            task.cancel()
        await asyncio.wait(left)
    await database.close()
    return died.is_set()
