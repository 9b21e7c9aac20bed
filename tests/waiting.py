"""How tests wait for what happens elsewhere: until it has, or far too long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import asyncpg

Value = TypeVar("Value")

WAIT_SECONDS_MAX = 60.0
PAUSE_SECONDS = 0.02

# Of this database only: the server is shared with tests that run beside this one.
WAITING = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
"""


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    """Return when it is so; fail when that takes far too long."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not is_so():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(PAUSE_SECONDS)


async def fetch_until(
    fetch: Callable[[], Awaitable[Value]], is_enough: Callable[[Value], bool]
) -> Value:
    """Return the first value that is enough; fail when that takes far too long."""
    async with asyncio.timeout(WAIT_SECONDS_MAX):
        while True:
            value = await fetch()
            if is_enough(value):
                return value
            await asyncio.sleep(PAUSE_SECONDS)


async def wait_until_backends_wait(
    owner: asyncpg.Connection[asyncpg.Record], count: int = 1
) -> int:
    """Return when so many sessions of the owner's database wait for a lock, and how many do."""

    async def count_waiting() -> int:
        # Within a database transaction the view would stay as it was first seen.
        await owner.execute("SELECT pg_stat_clear_snapshot()")
        waiting: int = await owner.fetchval(WAITING)
        return waiting

    return await fetch_until(count_waiting, lambda waiting: waiting >= count)
