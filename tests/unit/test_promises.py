"""Promises: kept once, changed, passed on, and waited for by any number."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gateway.promises import Promise


class Work:
    """Keeps promises one by one, and counts how often it was told to go on."""

    def __init__(self) -> None:
        self.promises: list[tuple[Promise[Any], Any]] = []
        self.rounds: list[bool] = []

    def promise(self, outcome: Any) -> Promise[Any]:
        promise: Promise[Any] = Promise(self.bring)
        self.promises.append((promise, outcome))
        return promise

    async def bring(self, all_is_asked: bool) -> None:
        self.rounds.append(all_is_asked)
        await asyncio.sleep(0)
        promise, outcome = self.promises.pop(0)
        if isinstance(outcome, Exception):
            promise.fail(outcome)
        else:
            promise.keep(outcome)


async def test_what_brings_it_is_called_until_it_is_kept() -> None:
    work = Work()
    first, second = work.promise(1), work.promise(2)
    assert await second == 2
    assert work.rounds == [False, False]
    assert first.result() == 1
    assert await work.promise(3).come() == 3
    assert work.rounds == [False, False, True]


async def test_first_outcome_stays() -> None:
    work = Work()
    kept, failed = work.promise(1), work.promise(LookupError())
    with pytest.raises(LookupError):
        await failed
    kept.keep(2)
    kept.fail(LookupError())
    failed.keep(3)
    assert await kept == 1
    for _ in range(2):
        with pytest.raises(LookupError):
            await failed


async def test_value_is_changed_as_soon_as_it_is_there() -> None:
    work = Work()
    value = work.promise(5)
    before = value.then(lambda number: number + 1).then(str)
    assert not before.is_done
    await value
    assert before.result() == "6"
    assert value.then(str).result() == "5"


async def test_failure_passes_through_changes() -> None:
    work = Work()
    failing, value = work.promise(LookupError()), work.promise(5)
    changed: Promise[None] = failing.then(lambda _: pytest.fail("it has no value"))
    broken = value.then(lambda number: number / 0)
    with pytest.raises(LookupError):
        await changed
    with pytest.raises(ZeroDivisionError):
        await broken


@pytest.mark.parametrize("outcome", [7, LookupError()])
async def test_promise_of_a_promise_is_one_promise(outcome: Any) -> None:
    work = Work()
    first, second = work.promise(5), work.promise(outcome)
    flat: Promise[int] = first.then(lambda _: second)
    if isinstance(outcome, Exception):
        with pytest.raises(LookupError):
            await flat
    else:
        assert await flat == 7
