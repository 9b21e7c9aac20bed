"""Requests that take too long are broken off, and only those."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import pytest

from gateway.http import deadlines
from gateway.http.answers import Answer
from gateway.http.deadlines import Deadlines
from gateway.http.refusals import RequestRefused
from gateway.http.request_record import RequestRecord

ANSWER = Answer(200, [], b"{}")


def timed(work: Callable[[], Awaitable[None]], seconds: float) -> Callable[[], Awaitable[Answer]]:
    async def endpoint(*_: object) -> Answer:
        await work()
        return ANSWER

    deadline = Deadlines(endpoint, seconds)

    async def ask() -> Answer:
        return await deadline({}, {}, None, RequestRecord("1"))  # type: ignore[arg-type]

    return ask


async def test_a_request_that_takes_too_long_is_broken_off_and_told_so() -> None:
    ended: list[BaseException] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError as error:
            ended.append(error)
            raise

    with pytest.raises(RequestRefused) as refusal:
        await timed(work, 0.01)()
    assert (refusal.value.status, refusal.value.code) == (
        HTTPStatus.GATEWAY_TIMEOUT,
        "DEADLINE_EXCEEDED",
    )
    assert len(ended) == 1
    # The task goes on as if it had never been cancelled.
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    await asyncio.sleep(0)


async def test_each_request_has_its_own_deadline() -> None:
    slow = iter([False, True, False])

    async def work() -> None:
        await asyncio.sleep(60 if next(slow) else 0)

    ask = timed(work, 0.02)
    results = await asyncio.gather(*(ask() for _ in range(3)), return_exceptions=True)
    assert [result == ANSWER for result in results] == [True, False, True]
    assert isinstance(results[1], RequestRefused)


async def test_what_goes_on_after_it_was_broken_off_is_broken_off_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deadlines, "GRACE_SECONDS", 0.01)
    cancelled = 0

    async def work() -> None:
        nonlocal cancelled
        for _ in range(3):
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                cancelled += 1
        raise asyncio.CancelledError

    with pytest.raises(RequestRefused):
        await timed(work, 0.01)()
    assert cancelled == 3


async def test_who_is_cancelled_by_somebody_else_is_not_answered() -> None:
    task = asyncio.ensure_future(timed(lambda: asyncio.sleep(60), 60)())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
