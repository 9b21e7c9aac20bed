"""Watch what each connection owes: a request's head, its body, its next request, or the reading of an answer.

One sweep a second closes the connections that owe something for too long, and a bound on their number holds at once. So
nobody can fill the process with connections that never finish anything.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Protocol

# Longer than the idle time of common proxies, so that they close connections and not we.
KEEP_ALIVE_SECONDS: Final = 75


class Owed(enum.Enum):
    """What a client has to send or read next."""

    NEXT_REQUEST = "the next request"
    HEAD = "the request's head"
    BODY = "the request's body"
    READING = "the reading of an answer"


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How long a connection may owe something, and how many a process keeps."""

    connections_max: int = 1_000
    head_timeout_seconds: float = 10
    body_timeout_seconds: float = 30
    reading_timeout_seconds: float = 30
    keep_alive_seconds: float = KEEP_ALIVE_SECONDS

    def seconds_for(self, owed: Owed) -> float:
        """Return how long a connection may owe this."""
        return {
            Owed.NEXT_REQUEST: self.keep_alive_seconds,
            Owed.HEAD: self.head_timeout_seconds,
            Owed.BODY: self.body_timeout_seconds,
            Owed.READING: self.reading_timeout_seconds,
        }[owed]


class Watched(Protocol):
    """A connection, as far as it is watched."""

    def is_kept_waiting(self) -> bool:
        """Tell whether we do not read from it at the moment, so that it cannot pay what it owes."""

    def close_late(self, owed: Owed) -> None:
        """Close it: it owed this for too long, or has to make room."""


# Who has to make room first: closing those who do nothing costs their clients the least.
_ROOM_MADE_BY: Final = (Owed.NEXT_REQUEST, Owed.HEAD, Owed.BODY)


class ConnectionWatch:
    """The connections of one process. Each owes one thing at a time, or nothing while its request is under way."""

    def __init__(self, limits: ConnectionLimits, now: Callable[[], float]) -> None:
        """Watch nobody yet; `now` gives the time in seconds."""
        self._limits = limits
        self._now = now
        # Each with the time since when it owes it, the longest first.
        self._owing: dict[Owed, OrderedDict[Watched, float]] = {
            owed: OrderedDict() for owed in Owed
        }
        self._owed_by: dict[Watched, Owed | None] = {}

    def __len__(self) -> int:
        """Return how many connections are watched."""
        return len(self._owed_by)

    def admit(self, connection: Watched) -> bool:
        """Watch a new connection, which owes a request's head; False if there is no room for it.

        Where the process has as many as it may, the one that has been idle for longest is closed, else the one that
        has owed something for longest.
        """
        if len(self._owed_by) >= self._limits.connections_max and not self._make_room():
            return False
        self._owed_by[connection] = None
        self.owe(connection, Owed.HEAD)
        return True

    def owe(self, connection: Watched, owed: Owed | None) -> None:
        """Note what a connection owes from now on; nothing changes if it is not watched any more."""
        if connection not in self._owed_by:
            return
        earlier = self._owed_by[connection]
        if earlier is not None:
            self._owing[earlier].pop(connection, None)
        self._owed_by[connection] = owed
        if owed is not None:
            self._owing[owed][connection] = self._now()

    def forget(self, connection: Watched) -> None:
        """Watch a connection no longer."""
        owed = self._owed_by.pop(connection, None)
        if owed is not None:
            self._owing[owed].pop(connection, None)

    def sweep(self) -> None:
        """Close every connection whose time is up; one that we keep waiting gets its time again."""
        for owed in Owed:
            for connection in list(self._find_late(owed)):
                if owed is not Owed.READING and connection.is_kept_waiting():
                    self.owe(connection, owed)
                else:
                    self.forget(connection)
                    connection.close_late(owed)

    def _find_late(self, owed: Owed) -> Iterator[Watched]:
        latest = self._now() - self._limits.seconds_for(owed)
        for connection, since in self._owing[owed].items():
            if since > latest:
                return
            yield connection

    def _make_room(self) -> bool:
        for owed in _ROOM_MADE_BY:
            if self._owing[owed]:
                connection = next(iter(self._owing[owed]))
                self.forget(connection)
                connection.close_late(owed)
                return True
        return False
