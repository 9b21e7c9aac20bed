"""Jobs are run again and again, survive their faults, and end when told to."""

from __future__ import annotations

import asyncio

import pytest

from gateway import background
from gateway.background import in_background, run_jobs
from gateway.errors import Overloaded


async def test_job_with_work_is_called_again_at_once() -> None:
    stop = asyncio.Event()
    left = [3]

    async def job() -> int:
        left[0] -= 1
        if left[0] == 0:
            stop.set()
        return left[0]

    async with asyncio.timeout(2):
        await run_jobs([job], stop, idle_seconds=60)
    assert left == [0]


async def test_idle_job_is_called_after_a_pause_and_ends_without_waiting_for_it() -> None:
    calls = []

    async def job() -> int:
        calls.append(1)
        return 0

    async with asyncio.timeout(2), in_background([job]):
        await asyncio.sleep(0.05)
    assert calls == [1]


async def test_fault_is_logged_and_the_job_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(background, "FAULT_SECONDS", 0.01)
    stop = asyncio.Event()
    calls = []

    async def job() -> int:
        calls.append(1)
        if len(calls) == 1:
            message = "the database is gone"
            raise ConnectionError(message)
        stop.set()
        return 1

    async with asyncio.timeout(2):
        await run_jobs([job], stop)
    assert len(calls) == 2
    (line,) = caplog.records
    assert line.__dict__["facts"] == {"reason": "the database is gone", "left_out": 0}


@pytest.mark.parametrize(
    ("fault", "has_traceback"),
    [(ConnectionError("gone"), False), (Overloaded("busy"), False), (ValueError("ours"), True)],
)
async def test_fault_that_goes_on_is_one_line_a_minute(
    fault: Exception,
    *,
    has_traceback: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(background, "FAULT_SECONDS", 0.001)
    stop = asyncio.Event()
    calls = []

    async def job() -> int:
        calls.append(1)
        if len(calls) == 3:
            stop.set()
        raise fault

    async with asyncio.timeout(2):
        await run_jobs([job], stop)
    (line,) = caplog.records
    assert bool(line.exc_info) is has_traceback


async def test_job_that_hangs_is_broken_off_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "STOP_SECONDS_MAX", 0.01)
    broken_off = []

    async def job() -> int:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            broken_off.append(1)
            raise
        return 0

    async with asyncio.timeout(2), in_background([job]):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert broken_off == [1]
