"""Whose turn it is, whatever becomes of those who wait."""

from __future__ import annotations

import asyncio

import pytest

from gateway.storage.shares import Share
from gateway.storage.slots import Slots
from gateway.storage.waiting_line import WaitingLine


@pytest.fixture
def passed_on() -> list[int]:
    return []


@pytest.fixture
def line(passed_on: list[int]) -> WaitingLine[int]:
    return WaitingLine(passed_on.append)


@pytest.fixture
def share() -> Share:
    return Share(100)


async def begin_to_wait(
    line: WaitingLine[int], count: int, share: Share
) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(line.wait(share, 10)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_things_go_to_those_who_wait_in_their_order(
    line: WaitingLine[int], share: Share, passed_on: list[int]
):
    assert line.serve(0) is False
    tasks = await begin_to_wait(line, 3, share)
    assert [line.serve(number) for number in range(4)] == [True, True, True, False]
    assert await asyncio.gather(*tasks) == [0, 1, 2]
    assert (passed_on, share.held) == ([], 3)


async def test_who_left_is_passed_over(line: WaitingLine[int], share: Share, passed_on: list[int]):
    first, second, third = await begin_to_wait(line, 3, share)
    first.cancel()
    third.cancel()
    await asyncio.sleep(0)
    assert line.serve(1) is True
    assert await second == 1
    assert line.serve(2) is False
    assert (passed_on, share.held) == ([], 1)


async def test_who_leaves_as_something_comes_leaves_it_to_others(
    line: WaitingLine[int], share: Share, passed_on: list[int]
):
    (task,) = await begin_to_wait(line, 1, share)
    assert line.serve(7) is True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (passed_on, share.held) == ([7], 0)


async def test_waiting_ends_in_time(line: WaitingLine[int], share: Share, passed_on: list[int]):
    other = asyncio.create_task(line.wait(share, 10))
    with pytest.raises(TimeoutError):
        await line.wait(share, 0.01)
    assert line.serve(1) is True
    assert await other == 1
    assert line.serve(2) is False
    assert (passed_on, share.held) == ([], 1)


async def test_what_comes_after_the_time_goes_to_the_next(line: WaitingLine[int], share: Share):
    """A time-out that has struck but was not felt yet counts."""
    late = asyncio.create_task(line.wait(share, 0))
    (other,) = await begin_to_wait(line, 1, share)
    await asyncio.sleep(0.001)
    assert line.serve(1) is True
    with pytest.raises(TimeoutError):
        await late
    assert await other == 1


async def test_tenants_take_turns_however_many_callers_each_has(line: WaitingLine[int]):
    busy, other, third = Share(100), Share(100), Share(100)
    many = await begin_to_wait(line, 6, busy)
    few = await begin_to_wait(line, 2, other)
    (one,) = await begin_to_wait(line, 1, third)
    assert all(line.serve(number) for number in range(9))
    assert await asyncio.gather(*many) == [0, 3, 5, 6, 7, 8]
    assert await asyncio.gather(*few) == [1, 4]
    assert await one == 2
    assert (busy.held, other.held, third.held) == (6, 2, 1)


async def test_who_has_all_that_it_may_is_passed_over_until_it_gives_something_back(
    line: WaitingLine[int],
):
    full, other = Share(1), Share(1)
    first, second = await begin_to_wait(line, 2, full)
    (one,) = await begin_to_wait(line, 1, other)
    assert [line.serve(number) for number in range(3)] == [True, True, False]
    assert (await first, await one) == (0, 1)
    full.held -= 1
    assert line.serve(2) is True
    assert await second == 2


async def test_a_share_enters_the_turns_once(line: WaitingLine[int], share: Share):
    """Though those who wait in it come, give up and come again."""
    for _ in range(5):
        (task,) = await begin_to_wait(line, 1, share)
        task.cancel()
        await asyncio.sleep(0)
        assert share.is_idle
    (task,) = await begin_to_wait(line, 1, share)
    assert len(line._turns) == 1
    assert line.serve(1) is True
    assert await task == 1
    assert line.serve(2) is False
    assert not line._turns


async def test_slots_are_bounded_together_and_for_each_tenant():
    slots, busy, other = Slots(2), Share(1), Share(1)
    await slots.take(busy, 1)
    waiting = asyncio.create_task(slots.take(busy, 10))
    await asyncio.sleep(0)
    assert not waiting.done()
    # The second slot is for another tenant.
    await slots.take(other, 1)
    with pytest.raises(TimeoutError):
        await slots.take(Share(1), 0.01)
    slots.give_back(busy)
    await waiting
    assert busy.held == 1
    for share in (busy, other):
        slots.give_back(share)
    await slots.take(Share(2), 0.01)
    await slots.take(Share(2), 0.01)


async def test_units_of_a_share_are_counted_and_the_last_may_go_beyond():
    slots, share = Slots(10), Share(100)
    await slots.take(share, 1, 60)
    await slots.take(share, 1, 60)
    order: list[int] = []

    async def run(units: int) -> None:
        await slots.take(share, 10, units)
        order.append(units)

    tasks = [asyncio.create_task(run(units)) for units in (10, 20, 30)]
    await asyncio.sleep(0)
    # Nobody overtakes those who wait in the share, though one more would fit.
    slots.give_back(share, 60)
    assert share.held == 60 + 10 + 20 + 30
    assert not slots.take_free(share, 5)
    await asyncio.gather(*tasks)
    assert order == [10, 20, 30]
    for units in (60, 10, 20, 30):
        slots.give_back(share, units)
    assert share.is_idle
    assert slots._free == 10
