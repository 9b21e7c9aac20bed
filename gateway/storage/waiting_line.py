"""Those who wait for something that comes back: tenants take turns, and the callers of one tenant go in the order in which they came."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

from gateway.storage.shares import Share

Thing = TypeVar("Thing")


class WaitingLine(Generic[Thing]):
    """Hands each thing to the next tenant in turn that may hold one more, and there to whoever has waited longest.

    What is handed over is counted in the share's `held`; whoever gives something back counts it out again before.
    """

    def __init__(self, pass_on: Callable[[Thing], None]) -> None:
        """Begin with nobody; `pass_on` takes what came to somebody who is cancelled in the same moment."""
        # Those in which somebody waits, each once, in the order of their turns.
        self._turns: deque[Share] = deque()
        self._entered: set[Share] = set()
        self._pass_on = pass_on

    async def wait(self, share: Share, seconds: float, units: int = 1) -> Thing:
        """Return what comes when it is this one's turn; it counts so many units of the share.

        Raises:
            TimeoutError: nothing did in time.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Thing] = loop.create_future()
        if share not in self._entered:
            self._entered.add(share)
            self._turns.append(share)
        share.waiting.append((future, units))
        # A timer of its own costs less than a block with a time-out.
        timer = loop.call_later(seconds, _give_up, future)
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                share.held -= units
                self._pass_on(future.result())
            raise
        finally:
            timer.cancel()

    def serve(self, thing: Thing) -> bool:
        """Hand the thing to whoever is next and may have it, and tell whether there was anybody."""
        for _ in range(len(self._turns)):
            share = self._turns.popleft()
            if not share.has_waiting():
                self._entered.remove(share)
                continue
            # Whoever has all that it may, or has just been served, lets the others go first.
            self._turns.append(share)
            if share.held < share.most:
                future, units = share.waiting.popleft()
                share.held += units
                future.set_result(thing)
                return True
        return False


def _give_up(future: asyncio.Future[Thing]) -> None:
    if not future.done():
        future.set_exception(TimeoutError())
