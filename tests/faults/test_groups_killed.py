"""Groups of issuances, broken off before every statement: each issuance of a group has its effect once, and answers so."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from gateway.errors import Overloaded
from gateway.issuing.model import IssuanceOutcome
from gateway.operations import places
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.faults.breaking import Breaker
from tests.faults.test_killed import Bench, Owner, Work, run_and_kill
from tests.plugins.figures import SayFigures
from tests.world import World, open_world

# One that finds the queue idle, a group of two for one member, and one that comes after them.
CALLS = 4
TRIES_MAX = 60
pytestmark = pytest.mark.usefixtures("steady_statements")


class GroupBench(Bench):
    """A group of issuances to break off, each time for other members of the same world."""

    async def new_try(self) -> Work:
        """Return four issuances at once, with keys of their own, for three members who have been in no earlier try."""
        self.tries += 1
        members = self.world.members[3 * self.tries :][:3]
        buyers = [members[0], members[1], members[1], members[2]]
        await self.world.distribute(f"fund-{self.tries}", [(member, 7, 0) for member in buyers])
        name = f"try-{self.tries}"

        async def work(world: World) -> Any:
            grouped = world.grouped()
            calls = (
                _until_answered(grouped, f"{name}-{number}", member)
                for number, member in enumerate(buyers)
            )
            return await asyncio.gather(*calls)

        return work


async def _until_answered(world: World, key: str, member: Any) -> IssuanceOutcome:
    """Call as a client does, who tries again with the same key while the gateway says that it is overloaded."""
    for _ in range(5):
        try:
            return await world.issue(key, member, world.mug_reward, world.points_reward)
        except Overloaded:
            continue
    raise AssertionError("never answered")


@pytest.fixture
async def bench(database: Database, owner: Owner, monkeypatch: pytest.MonkeyPatch) -> GroupBench:
    # One after another, so that every statement has its place in one order.
    monkeypatch.setattr(places, "PLACES_MAX", 1)
    world = await open_world(database, member_count=3 * TRIES_MAX, stock=10 * TRIES_MAX)
    return GroupBench(world, owner, _never)


async def _never(*_: object) -> None:
    raise AssertionError("each try has its own calls")


@pytest.mark.requirement("ALL-2", "CAP-4")
async def test_a_backend_terminated_in_the_middle_of_groups(
    bench: GroupBench, database_url: str, say_figures: SayFigures
):
    async def call(work: Work, world: World) -> Any:
        return await work(world)

    def check(breaker: Breaker) -> None:
        assert len([limit for limit in breaker.lock_timeouts if limit is not None]) == 1

    statements, tries = await bench.break_off_each_statement(database_url, call, check)
    for answers in tries:
        assert [answer.outcome for answer in answers] == ["ALL"] * CALLS
    say_figures(f"{len(statements)} statements of {CALLS} issuances, each broken off once")


@pytest.mark.requirement("ALL-2", "ALL-4", "CAP-4")
async def test_a_gateway_killed_in_the_middle_of_groups(
    bench: GroupBench, database_url: str, say_figures: SayFigures
):
    clean = await bench.new_try()
    _, one_effect = await bench.measure(clean(bench.world))
    outcomes: Counter[str] = Counter()
    place = 1
    while True:
        work = await bench.new_try()

        async def kill_and_call_again(work: Work = work, place: int = place) -> tuple[bool, Any]:
            has_died = await run_and_kill(bench.world, work, database_url, place)
            return has_died, await work(bench.world)

        (has_died, answers), effect = await bench.measure(kill_and_call_again())
        assert effect == one_effect
        replays = sum(answer.idempotent_replay for answer in answers)
        if not has_died:
            break
        # What shares a commit is there together, or not at all.
        assert replays in {0, 1, 3}
        outcomes[f"{replays} replayed"] += 1
        place += 1
    assert replays == CALLS
    assert await verify(bench.world.database) == []
    say_figures(f"killed {outcomes.total()} times; of {CALLS} second tries {dict(outcomes)}")
