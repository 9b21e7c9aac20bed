"""Work that no request waits for: jobs that are run again and again until told to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TypeAlias

from gateway.repeats import FaultLog

logger = logging.getLogger(__name__)

IDLE_SECONDS = 1.0
FAULT_SECONDS = 5.0
STOP_SECONDS_MAX = 10.0

# Does what is due and returns how much that was; called again at once after it found something.
Job: TypeAlias = Callable[[], Awaitable[int]]


async def run_jobs(
    jobs: Sequence[Job], stop: asyncio.Event, idle_seconds: float = IDLE_SECONDS
) -> None:
    """Run the jobs, each at its own pace, until `stop` is set; a job under way is let finish.

    A job that fails is tried again after a pause: what it left undone is still due.
    """
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(_repeat(job, stop, idle_seconds))


@asynccontextmanager
async def in_background(jobs: Sequence[Job]) -> AsyncIterator[None]:
    """Run the jobs while the block lasts."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_jobs(jobs, stop))
    try:
        yield
    finally:
        stop.set()
        _, running = await asyncio.wait([task], timeout=STOP_SECONDS_MAX)
        if running:
            # Whatever it was doing is still due, and another process goes on with it.
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _repeat(job: Job, stop: asyncio.Event, idle_seconds: float) -> None:
    faults = FaultLog(logger, "background job failed")
    while not stop.is_set():
        try:
            pause_seconds = 0.0 if await job() else idle_seconds
        except Exception as fault:  # noqa: BLE001 - such as a database that is being restarted; it is logged
            faults.note(fault)
            pause_seconds = FAULT_SECONDS
        if pause_seconds:
            await _wait(stop, pause_seconds)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        pass
