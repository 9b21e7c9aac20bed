"""Jobs that arrive while a group runs form the next; each keeps its own answer and failure."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway.errors import Overloaded
from gateway.operations import grouping, places
from gateway.operations.grouping import GROUP_LINES_MAX, GROUP_SIZE_MAX, Begin, Grouper
from gateway.operations.places import LATE_MAX, PLACES_MAX, Place, Places


async def run(grouper: Grouper[int, str], job: int, key: str | None = None, lines: int = 1) -> str:
    """Run a job of the one caller of these tests; its key is its number, if no other is given."""
    return await grouper.run("tenant", "caller", {key or str(job)}, job, lines=lines)


class Recorder:
    """Remembers what ran together; odd numbers must be done alone, and negative ones fail there."""

    def __init__(self, group_fails: bool = False) -> None:
        self.groups: list[list[int]] = []
        self.alone: list[int] = []
        self.group_fails = group_fails
        self.grouper = Grouper[int, str](self.run_group, self.run_alone)

    async def run_group(self, jobs: Sequence[int], begin: Begin) -> list[str | None]:
        begin()
        self.groups.append(list(jobs))
        await asyncio.sleep(0)
        if self.group_fails:
            raise RuntimeError
        return [f"together {job}" if job % 2 == 0 else None for job in jobs]

    async def run_alone(self, job: int, begin: Begin) -> str:
        begin()
        self.alone.append(job)
        await asyncio.sleep(0)
        if job < 0:
            message = f"no {job}"
            raise ValueError(message)
        return f"alone {job}"

    async def run(self, *jobs: int) -> list[str | BaseException]:
        waiting = (run(self.grouper, job) for job in jobs)
        return await asyncio.gather(*waiting, return_exceptions=True)


async def test_first_job_waits_for_nobody() -> None:
    recorder = Recorder()
    assert await recorder.run(2) == ["alone 2"]
    assert recorder.groups == []


async def test_jobs_that_arrive_meanwhile_share_the_next_groups() -> None:
    """Half of all that are there go together, so that the two groups that overlap are equally large."""
    recorder = Recorder()
    answers = await recorder.run(2, 4, 6, 8, 10, 12, 14)
    assert answers == ["alone 2", "alone 4", *(f"together {job}" for job in (6, 8, 10, 12, 14))]
    assert recorder.alone == [2, 4]
    assert recorder.groups == [[6, 8, 10], [12, 14]]


async def test_refused_job_is_done_alone_and_fails_alone() -> None:
    recorder = Recorder()
    answers = await recorder.run(2, 4, 6, -1, 8, 10, 12)
    assert [str(answer) for answer in answers] == [
        "alone 2",
        "alone 4",
        "together 6",
        "no -1",
        "together 8",
        "together 10",
        "together 12",
    ]


async def test_group_that_fails_is_done_one_by_one() -> None:
    recorder = Recorder(group_fails=True)
    assert await recorder.run(2, 4, 6, 8) == [f"alone {job}" for job in (2, 4, 6, 8)]


@pytest.mark.parametrize("has_begun", [False, True])
async def test_group_without_a_connection_is_told_so_at_once(has_begun: bool) -> None:
    """Alone each of its jobs would wait for one as long; but where work had begun, only alone is it known what was done."""
    alone: list[int] = []

    async def run_group(_: Sequence[int], begin: Begin) -> list[str | None]:
        if has_begun:
            begin()
        raise Overloaded("none")

    async def run_alone(job: int, _: Begin) -> str:
        alone.append(job)
        await asyncio.sleep(0)
        return str(job)

    grouper = Grouper[int, str](run_group, run_alone)
    for _ in range(2):
        # The second time their keys are free again.
        waiting = (run(grouper, job) for job in range(PLACES_MAX + 4))
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, Overloaded)]
        assert len(refused) + len(alone) == PLACES_MAX + 4
        assert bool(refused) is not has_begun
        alone.clear()


async def test_jobs_of_one_key_never_share_a_group() -> None:
    recorder = Recorder()
    waiting = [run(recorder.grouper, job, "same") for job in (2, 4, 6, 8)]
    assert await asyncio.gather(*waiting) == [f"alone {job}" for job in (2, 4, 6, 8)]
    assert recorder.alone == [2, 4, 6, 8]


async def test_groups_have_a_largest_size() -> None:
    recorder = Recorder()
    count = PLACES_MAX + 3 * GROUP_SIZE_MAX
    answers = await recorder.run(*range(0, 2 * count, 2))
    assert len(answers) == count
    assert [len(group) for group in recorder.groups] == [GROUP_SIZE_MAX] * 3


async def test_queues_are_independent() -> None:
    """A stuck caller holds up nobody else."""
    release = asyncio.Event()

    async def run_alone(job: int, _: Begin) -> int:
        if job < PLACES_MAX:
            await release.wait()
        return job

    async def run_group(jobs: Sequence[int], _: Begin) -> list[int | None]:
        return [None] * len(jobs)

    grouper = Grouper[int, int](run_group, run_alone)
    stuck = [
        asyncio.create_task(grouper.run("slow", "caller", {str(job)}, job))
        for job in range(PLACES_MAX)
    ]
    assert await grouper.run("quick", "caller", {"9"}, 9) == 9
    release.set()
    assert await asyncio.gather(*stuck) == list(range(PLACES_MAX))


async def test_stuck_jobs_give_up_their_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that wait for a lock do not keep the others of their own queue waiting."""
    monkeypatch.setattr(places, "PLACE_SECONDS_MAX", 0.01)
    release = asyncio.Event()
    begun: list[int] = []

    async def run_alone(job: int, begin: Begin) -> str:
        begin()
        begun.append(job)
        if job < PLACES_MAX + LATE_MAX:
            await release.wait()
        return str(job)

    async def run_group(jobs: Sequence[int], _: Begin) -> list[str | None]:
        return [None] * len(jobs)

    grouper = Grouper[int, str](run_group, run_alone)
    stuck = [asyncio.create_task(run(grouper, job)) for job in range(LATE_MAX)]
    await asyncio.sleep(0)
    assert await run(grouper, 90) == "90"
    # As many as may be late are; two more have the places, and the next one waits for them.
    stuck += [
        asyncio.create_task(run(grouper, job)) for job in range(LATE_MAX, PLACES_MAX + LATE_MAX)
    ]
    blocked = asyncio.create_task(run(grouper, 91))
    await asyncio.sleep(0.1)
    assert len(begun) == 1 + LATE_MAX + PLACES_MAX
    assert 91 not in begun
    release.set()
    assert await blocked == "91"
    assert await asyncio.gather(*stuck) == [str(job) for job in range(PLACES_MAX + LATE_MAX)]


async def test_place_that_was_one_too_many_is_given_up_when_late_work_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As long as any work is late, a job behind it waits for no more than that: one ends, another counts as late instead."""
    monkeypatch.setattr(places, "PLACE_SECONDS_MAX", 0.01)
    shared = Places()
    held: list[Place] = []

    def hold(place: Place) -> None:
        held.append(place)
        place.begin()

    for _ in range(LATE_MAX + PLACES_MAX + 3):
        shared.ask("tenant", hold)
    await asyncio.sleep(0.1)
    assert len(held) == LATE_MAX + PLACES_MAX
    held[0].leave()
    assert len(held) == LATE_MAX + PLACES_MAX + 1
    # One of the two that hold a place for too long ends by itself: the other is the next to be late.
    held[LATE_MAX + 1].leave()
    await asyncio.sleep(0.1)
    assert len(held) == LATE_MAX + PLACES_MAX + 2
    held[1].leave()
    assert len(held) == LATE_MAX + PLACES_MAX + 3
    for place in held[2 : LATE_MAX + 1] + held[LATE_MAX + 2 :]:
        place.leave()
    # Nobody is counted twice: everything is free again.
    for _ in range(PLACES_MAX + 1):
        shared.ask("tenant", held.append)
    assert len(held) == LATE_MAX + PLACES_MAX + 3 + PLACES_MAX


async def test_standing_in_line_is_not_being_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has no connection yet keeps the place, however long that takes: nobody stands in line three times."""
    monkeypatch.setattr(places, "PLACE_SECONDS_MAX", 0.01)
    release = asyncio.Event()
    in_line: list[int] = []

    async def run_alone(job: int, _: Begin) -> str:
        in_line.append(job)
        await release.wait()
        return str(job)

    async def run_group(jobs: Sequence[int], _: Begin) -> list[str | None]:
        return [str(job) for job in jobs]

    grouper = Grouper[int, str](run_group, run_alone)
    waiting = [asyncio.create_task(run(grouper, job)) for job in range(6)]
    await asyncio.sleep(0.1)
    assert in_line == list(range(PLACES_MAX))
    release.set()
    assert await asyncio.gather(*waiting) == [str(job) for job in range(6)]


async def test_a_busy_tenant_has_two_places_in_the_line() -> None:
    """Whatever a tenant has waiting, in however many queues, refused or not: at most two groups are before anyone else's."""
    line = asyncio.Semaphore(1)
    served: list[str] = []
    shared = Places()

    async def run_group(jobs: Sequence[str], begin: Begin) -> list[str | None]:
        async with line:
            begin()
            served.append(jobs[0])
            await asyncio.sleep(0)
        # Half of a busy tenant's jobs are refused, and run again alone.
        return [job if job.endswith(("0", "2", "4")) else None for job in jobs]

    async def run_alone(job: str, begin: Begin) -> str:
        async with line:
            begin()
            served.append(job)
            await asyncio.sleep(0)
        return job

    kinds = [Grouper[str, str](run_group, run_alone, shared) for _ in range(2)]
    busy = [
        asyncio.create_task(kind.run("busy", f"caller {caller}", {str(job)}, f"busy {job}"))
        for kind in kinds
        for caller in range(5)
        for job in range(100)
    ]
    for quiet in range(10):
        await asyncio.sleep(0)
        before = len(served)
        assert await kinds[0].run("quiet", "caller", {str(quiet)}, f"quiet {quiet}")
        # One that has the connection, two that stand in line, and itself.
        assert len(served) - before <= 1 + 2 + 1
    assert len(await asyncio.gather(*busy)) == 1_000


async def test_queues_of_a_tenant_take_turns() -> None:
    """A caller with many jobs does not keep its tenant's others waiting until all of them are done."""
    order: list[str] = []

    async def run_alone(job: str, _: Begin) -> str:
        order.append(job)
        await asyncio.sleep(0)
        return job

    async def run_group(jobs: Sequence[str], _: Begin) -> list[str | None]:
        order.append(jobs[0])
        await asyncio.sleep(0)
        return [*jobs]

    grouper = Grouper[str, str](run_group, run_alone)
    many = [
        asyncio.create_task(grouper.run("tenant", "many", {str(job)}, f"many {job}"))
        for job in range(PLACES_MAX + 5 * GROUP_SIZE_MAX)
    ]
    few = asyncio.create_task(grouper.run("tenant", "few", {"1"}, "few"))
    await asyncio.gather(few, *many)
    assert order.index("few") <= PLACES_MAX + 2


async def test_groups_have_a_largest_number_of_lines() -> None:
    recorder = Recorder()
    jobs = range(0, 2 * (PLACES_MAX + 5), 2)
    lines = GROUP_LINES_MAX // 2
    assert len(await asyncio.gather(*(run(recorder.grouper, job, lines=lines) for job in jobs)))
    assert [len(group) for group in recorder.groups] == [2, 2]


async def test_refused_jobs_and_groups_take_turns() -> None:
    """Jobs that have to be done alone do not hold up the groups that wait behind them."""
    recorder = Recorder()
    order: list[list[int]] = []
    run_group, run_alone = recorder.run_group, recorder.run_alone

    async def note_group(jobs: Sequence[int], begin: Begin) -> list[str | None]:
        order.append(list(jobs))
        return await run_group(jobs, begin)

    async def note_alone(job: int, begin: Begin) -> str:
        order.append([job])
        return await run_alone(job, begin)

    grouper = Grouper[int, str](note_group, note_alone)
    odd = range(1, 2 * GROUP_SIZE_MAX, 2)
    even = range(1_000, 1_000 + 4 * GROUP_SIZE_MAX, 2)
    await asyncio.gather(*(run(grouper, job) for job in (500, 502, *odd, *even)))
    groups = [number for number, jobs in enumerate(order) if len(jobs) > 1]
    assert sum(len(order[number]) for number in groups) > 2 * GROUP_SIZE_MAX
    # Two that found the queue idle, and then a group at least every second time.
    assert groups[-1] <= PLACES_MAX + 2 * len(groups)


async def test_full_queue_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is per queue, and what is refused was not begun."""
    monkeypatch.setattr(grouping, "QUEUE_LENGTH_MAX", 3)
    recorder = Recorder()
    answers = await recorder.run(*range(0, 14, 2))
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert len(refused) == 7 - PLACES_MAX - 3
    assert len(recorder.alone) + sum(map(len, recorder.groups)) == PLACES_MAX + 3


async def test_jobs_that_wait_to_be_done_alone_fill_the_queue_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where every group fails, what it leaves behind is counted: the queue does not grow by what has left it for another."""
    monkeypatch.setattr(grouping, "QUEUE_LENGTH_MAX", 4)
    turns = [asyncio.Event() for _ in range(2)]

    async def run_alone(job: int, _: Begin) -> str:
        await turns[job >= PLACES_MAX].wait()
        return str(job)

    async def run_group(jobs: Sequence[int], _: Begin) -> list[str | None]:
        raise RuntimeError

    grouper = Grouper[int, str](run_group, run_alone)
    tasks = [asyncio.create_task(run(grouper, job)) for job in range(PLACES_MAX + 4)]
    await asyncio.sleep(0)
    turns[0].set()
    await asyncio.sleep(0.01)
    # Two are being done alone and two wait for that: there is room for two more.
    tasks += [asyncio.create_task(run(grouper, job)) for job in range(10, 14)]
    await asyncio.sleep(0.01)
    turns[1].set()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(answer, Overloaded) for answer in answers[-4:]] == [
        False,
        False,
        True,
        True,
    ]
    assert answers[:-2] == [str(job) for job in (*range(PLACES_MAX + 4), 10, 11)]


async def test_any_number_may_find_nothing_left_to_do() -> None:
    """Those who ask for a place and leave it at once are served one after the other, not one within another."""
    shared = Places()
    held: list[Place] = []
    served = 0

    def leave_at_once(place: Place) -> None:
        nonlocal served
        served += 1
        place.leave()

    for _ in range(PLACES_MAX):
        shared.ask("tenant", held.append)
    for _ in range(5_000):
        shared.ask("tenant", leave_at_once)
    held[0].leave()
    assert served == 5_000


async def test_cancelled_caller_does_not_stop_the_others() -> None:
    recorder = Recorder()
    waiting = [asyncio.create_task(run(recorder.grouper, job)) for job in (2, 4, 6, 8)]
    await asyncio.sleep(0)
    waiting[2].cancel()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[2], asyncio.CancelledError)
    assert answers[3] is not None
    assert str(answers[3]).endswith("8")


async def test_job_whose_key_is_under_way_longer_than_a_place_is_done_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the place is given up its key is not free yet, and when the key is free nobody else may come along."""
    monkeypatch.setattr(places, "PLACE_SECONDS_MAX", 0.01)
    may_finish = asyncio.Event()

    async def run_alone(job: int, begin: Begin) -> str:
        begin()
        if job == 1:
            await may_finish.wait()
        return f"alone {job}"

    async def run_group(jobs: Sequence[int], _: Begin) -> list[str | None]:
        return [None for _ in jobs]

    grouper = Grouper[int, str](run_group, run_alone)
    first = asyncio.create_task(run(grouper, 1, "key"))
    second = asyncio.create_task(run(grouper, 2, "key"))
    await asyncio.sleep(0.05)
    may_finish.set()
    async with asyncio.timeout(5):
        assert [await first, await second] == ["alone 1", "alone 2"]
