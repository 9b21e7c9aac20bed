"""Which grouped work of a tenant may ask for a connection: two groups at a time, so that the next group grows meanwhile.

A tenant with a thousand jobs asks for two connections at a time, however many callers and kinds of operation it has. Whose turn
it is among tenants, the pool decides (`gateway/storage/waiting_line.py`).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Hashable

# Two, so that one group computes while the other commits.
PLACES_MAX = 2
# Work that has its connection and takes longer than this, because it waits for a lock, no longer keeps others from starting …
PLACE_SECONDS_MAX = 0.1
# … as long as no more of a tenant's is late than this: the other connections of the pool are for other tenants.
LATE_MAX = 4

Start = Callable[["Place"], None]


class _Tenant:
    """A tenant's places in use, its late work, who would be late if that were not too much, and who waits for a place, in order."""

    def __init__(self) -> None:
        self.taken = 0
        self.late = 0
        self.overdue: deque[Place] = deque()
        self.waiting: deque[Start] = deque()
        self.is_serving = False


class Places:
    """The places of every tenant that has work under way."""

    def __init__(self) -> None:
        """Begin with every place free."""
        self._tenants: dict[Hashable, _Tenant] = {}

    def ask(self, tenant: Hashable, start: Start) -> None:
        """Call `start` with a place: at once if one is free, else when it is this one's turn."""
        state = self._tenants.setdefault(tenant, _Tenant())
        state.waiting.append(start)
        self._serve(tenant, state)

    def _serve(self, tenant: Hashable, state: _Tenant) -> None:
        # Whoever is called may ask, or leave at once: that is served here too, not one call within another.
        if state.is_serving:
            return
        state.is_serving = True
        try:
            while state.taken < PLACES_MAX and state.waiting:
                state.taken += 1
                state.waiting.popleft()(Place(state, lambda: self._serve(tenant, state)))
        finally:
            state.is_serving = False
        if not (state.taken or state.late or state.waiting):
            self._tenants.pop(tenant, None)


class Place:
    """One place, until `leave`. Who holds it says with `begin` that the line is behind them and work has begun."""

    def __init__(self, state: _Tenant, serve: Callable[[], None]) -> None:
        """Take the tenant's state, and what to do when a place of it is free; use `Places.ask`."""
        self._state = state
        self._serve = serve
        self._timer: asyncio.TimerHandle | None = None
        self._is_late = False

    def begin(self) -> None:
        """Start the clock, once: standing in line is not working."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(PLACE_SECONDS_MAX, self._give_up)

    def leave(self) -> None:
        """Free the place; the work is done."""
        if self._timer is not None:
            self._timer.cancel()
        state = self._state
        if self._is_late:
            state.late -= 1
            if state.overdue:
                state.overdue.popleft()._become_late()
        else:
            state.taken -= 1
            if self in state.overdue:
                state.overdue.remove(self)
        self._serve()

    def _give_up(self) -> None:
        if self._state.late < LATE_MAX:
            self._become_late()
            self._serve()
        else:
            self._state.overdue.append(self)

    def _become_late(self) -> None:
        self._is_late = True
        self._state.late += 1
        self._state.taken -= 1
