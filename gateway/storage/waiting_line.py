"""Those who wait for something that comes back, in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

Thing = TypeVar("Thing")


class WaitingLine(Generic[Thing]):
    """Hands each thing to whoever has waited longest."""

    def __init__(self, pass_on: Callable[[Thing], None]) -> None:
        """Begin with nobody; `pass_on` takes what came to somebody who is cancelled in the same moment."""
        self._waiting: deque[asyncio.Future[Thing]] = deque()
        self._pass_on = pass_on

    def __bool__(self) -> bool:
        """Tell whether anybody waits."""
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        return bool(self._waiting)

    async def wait(self, seconds: float) -> Thing:
        """Return what comes when it is this one's turn.

        Raises:
            TimeoutError: nothing did in time.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Thing] = loop.create_future()
        self._waiting.append(future)
        # A timer of its own costs less than a block with a time-out.
        timer = loop.call_later(seconds, _give_up, future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._pass_on(future.result())
            raise
        finally:
            timer.cancel()

    def serve(self, thing: Thing) -> bool:
        """Hand the thing to the first who still waits, and tell whether there was one."""
        if not self:
            return False
        self._waiting.popleft().set_result(thing)
        return True


def _give_up(future: asyncio.Future[Thing]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
