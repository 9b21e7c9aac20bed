"""Whose turn it is, whatever becomes of those who wait."""

from __future__ import annotations

import asyncio

import pytest

from gateway.storage.waiting_line import WaitingLine


@pytest.fixture
def passed_on() -> list[int]:
    return []


@pytest.fixture
def line(passed_on: list[int]) -> WaitingLine[int]:
    return WaitingLine(passed_on.append)


async def begin_to_wait(line: WaitingLine[int], count: int) -> list[asyncio.Task[int]]:
    tasks = [asyncio.create_task(line.wait(10)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_things_go_to_those_who_wait_in_their_order(
    line: WaitingLine[int], passed_on: list[int]
):
    assert not line
    assert line.serve(0) is False
    tasks = await begin_to_wait(line, 3)
    assert line
    assert [line.serve(number) for number in range(4)] == [True, True, True, False]
    assert await asyncio.gather(*tasks) == [0, 1, 2]
    assert passed_on == []


async def test_who_left_is_passed_over(line: WaitingLine[int], passed_on: list[int]):
    first, second, third = await begin_to_wait(line, 3)
    first.cancel()
    third.cancel()
    await asyncio.sleep(0)
    assert line.serve(1) is True
    assert await second == 1
    assert line.serve(2) is False
    assert passed_on == []


async def test_who_leaves_as_something_comes_leaves_it_to_others(
    line: WaitingLine[int], passed_on: list[int]
):
    (task,) = await begin_to_wait(line, 1)
    assert line.serve(7) is True
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert passed_on == [7]


async def test_waiting_ends_in_time(line: WaitingLine[int], passed_on: list[int]):
    other = asyncio.create_task(line.wait(10))
    with pytest.raises(TimeoutError):
        await line.wait(0.01)
    assert line.serve(1) is True
    assert await other == 1
    assert not line
    assert passed_on == []


async def test_what_comes_after_the_time_goes_to_the_next(line: WaitingLine[int]):
    """A time-out that has struck but was not felt yet counts."""
    late = asyncio.create_task(line.wait(0))
    (other,) = await begin_to_wait(line, 1)
    await asyncio.sleep(0.001)
    assert line.serve(1) is True
    with pytest.raises(TimeoutError):
        await late
    assert await other == 1
