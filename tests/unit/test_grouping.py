"""Jobs that arrive while a group runs form the next; each keeps its own answer and failure."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gateway.errors import Overloaded
from gateway.operations import grouping
from gateway.operations.grouping import GROUP_SIZE_MAX, GROUPS_UNDER_WAY_MAX, Grouper


class Recorder:
    """Remembers what ran together; odd numbers must be done alone, and negative ones fail there."""

    def __init__(self, group_fails: bool = False) -> None:
        self.groups: list[list[int]] = []
        self.alone: list[int] = []
        self.group_fails = group_fails
        self.grouper = Grouper[int, str](self.run_group, self.run_alone)

    async def run_group(self, jobs: Sequence[int]) -> list[str | None]:
        self.groups.append(list(jobs))
        await asyncio.sleep(0)
        if self.group_fails:
            raise RuntimeError
        return [f"together {job}" if job % 2 == 0 else None for job in jobs]

    async def run_alone(self, job: int) -> str:
        self.alone.append(job)
        await asyncio.sleep(0)
        if job < 0:
            message = f"no {job}"
            raise ValueError(message)
        return f"alone {job}"

    async def run(self, *jobs: int) -> list[str | BaseException]:
        waiting = (self.grouper.run("caller", str(job), job) for job in jobs)
        return await asyncio.gather(*waiting, return_exceptions=True)


async def test_first_job_waits_for_nobody() -> None:
    recorder = Recorder()
    assert await recorder.run(2) == ["alone 2"]
    assert recorder.groups == []


async def test_jobs_that_arrive_meanwhile_share_the_next_group() -> None:
    recorder = Recorder()
    answers = await recorder.run(2, 4, 6, 8, 10)
    assert answers == ["alone 2", "alone 4", "together 6", "together 8", "together 10"]
    assert recorder.alone == [2, 4]
    assert recorder.groups == [[6, 8, 10]]


async def test_refused_job_is_done_alone_and_fails_alone() -> None:
    recorder = Recorder()
    answers = await recorder.run(2, 4, 6, -1, 8)
    assert [str(answer) for answer in answers] == [
        "alone 2",
        "alone 4",
        "together 6",
        "no -1",
        "together 8",
    ]


async def test_group_that_fails_is_done_one_by_one() -> None:
    recorder = Recorder(group_fails=True)
    assert await recorder.run(2, 4, 6, 8) == [f"alone {job}" for job in (2, 4, 6, 8)]


async def test_jobs_of_one_key_never_share_a_group() -> None:
    recorder = Recorder()
    waiting = [recorder.grouper.run("caller", "same", job) for job in (2, 4, 6, 8)]
    assert await asyncio.gather(*waiting) == [f"alone {job}" for job in (2, 4, 6, 8)]
    assert recorder.alone == [2, 4, 6, 8]


async def test_groups_have_a_largest_size() -> None:
    recorder = Recorder()
    count = GROUPS_UNDER_WAY_MAX + GROUP_SIZE_MAX + 6
    answers = await recorder.run(*range(0, 2 * count, 2))
    assert len(answers) == count
    assert [len(group) for group in recorder.groups] == [GROUP_SIZE_MAX, 6]


async def test_queues_are_independent() -> None:
    """A stuck caller holds up nobody else."""
    release = asyncio.Event()

    async def run_alone(job: int) -> int:
        if job == 0:
            await release.wait()
        return job

    async def run_group(jobs: Sequence[int]) -> list[int | None]:
        return [None] * len(jobs)

    grouper = Grouper[int, int](run_group, run_alone)
    stuck = asyncio.create_task(grouper.run("slow", "0", 0))
    assert await grouper.run("quick", "1", 1) == 1
    release.set()
    assert await stuck == 0


async def test_stuck_jobs_give_up_their_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs that wait for a lock do not keep the others of their own queue waiting."""
    monkeypatch.setattr(grouping, "SLOT_SECONDS_MAX", 0.01)
    release = asyncio.Event()

    async def run_alone(job: int) -> int:
        if job < GROUPS_UNDER_WAY_MAX:
            await release.wait()
        return job

    async def run_group(jobs: Sequence[int]) -> list[int | None]:
        return list(jobs)

    grouper = Grouper[int, int](run_group, run_alone)
    stuck = [
        asyncio.create_task(grouper.run("caller", str(job), job))
        for job in range(GROUPS_UNDER_WAY_MAX)
    ]
    await asyncio.sleep(0)
    assert await grouper.run("caller", "9", 9) == 9
    release.set()
    assert await asyncio.gather(*stuck) == list(range(GROUPS_UNDER_WAY_MAX))


async def test_full_queue_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bound is per queue, and what is refused was not begun."""
    monkeypatch.setattr(grouping, "QUEUE_LENGTH_MAX", 3)
    recorder = Recorder()
    answers = await recorder.run(*range(0, 14, 2))
    refused = [answer for answer in answers if isinstance(answer, Overloaded)]
    assert len(refused) == 7 - GROUPS_UNDER_WAY_MAX - 3
    assert len(recorder.alone) == GROUPS_UNDER_WAY_MAX


async def test_cancelled_caller_does_not_stop_the_others() -> None:
    recorder = Recorder()
    waiting = [
        asyncio.create_task(recorder.grouper.run("caller", str(job), job)) for job in (2, 4, 6, 8)
    ]
    await asyncio.sleep(0)
    waiting[2].cancel()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[2], asyncio.CancelledError)
    assert answers[3] is not None
    assert str(answers[3]).endswith("8")


async def test_job_whose_key_is_under_way_longer_than_a_slot_is_done_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the slot is given back its key is not free yet, and when the key is free nobody else may come along."""
    monkeypatch.setattr(grouping, "SLOT_SECONDS_MAX", 0.01)
    may_finish = asyncio.Event()

    async def run_alone(job: int) -> str:
        if job == 1:
            await may_finish.wait()
        return f"alone {job}"

    async def run_group(jobs: Sequence[int]) -> list[str | None]:
        return [None for _ in jobs]

    grouper = Grouper[int, str](run_group, run_alone)
    first = asyncio.create_task(grouper.run("caller", "key", 1))
    second = asyncio.create_task(grouper.run("caller", "key", 2))
    await asyncio.sleep(0.05)
    may_finish.set()
    async with asyncio.timeout(5):
        assert [await first, await second] == ["alone 1", "alone 2"]
