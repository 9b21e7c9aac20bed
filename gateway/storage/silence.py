"""Leaves a server that owes answers and gives none, without closing anything: nothing else would ever tell.

A statement may take long because it waits for a lock or reads much, so silence alone proves nothing. Where no connection of the pool
has had an answer for some seconds, the server is asked on a connection of its own; if that is not answered either, all its
connections are ended, and whoever waited on one tries again elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from gateway.storage.connecting import UNREACHABLE, Connector

if TYPE_CHECKING:
    from gateway.storage.connection import PipeliningConnection

logger = logging.getLogger("gateway.database")

LOOK_SECONDS: Final = 1.0
# Time is told by how often one has looked: a process that was stopped meanwhile takes no server for silent.
SILENT_LOOKS_MAX: Final = 5
# The server itself ends a statement after a minute: an answer that is later than this was lost on its way.
OVERDUE_LOOKS_MAX: Final = 75


class SilenceWatch:
    """Looks once a second at the connections of one pool; no statement has a timer of its own."""

    def __init__(self, connector: Connector) -> None:
        """Take what made the connections; it is told which server to ask last."""
        self._connector = connector
        self._connections: WeakSet[PipeliningConnection] = WeakSet()
        self._timer: asyncio.TimerHandle | None = None
        self._asking: asyncio.Task[None] | None = None
        self._answers = 0
        self._silent_looks = 0

    def add(self, connection: PipeliningConnection) -> None:
        """Watch a connection until it is closed."""
        self._connections.add(connection)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)

    def _look(self) -> None:
        connections = [one for one in self._connections if not one.is_closed()]
        self._timer = None
        if not connections:
            return
        self._timer = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._look)
        for connection in connections:
            if connection.count_silent_look() > OVERDUE_LOOKS_MAX:
                self._say("database answer overdue", connection._addr, 1)
                connection.terminate()
        owing = [one for one in connections if one.is_owed and not one.is_closed()]
        answers = sum(one.answers for one in connections)
        self._silent_looks = self._silent_looks + 1 if owing and answers == self._answers else 0
        self._answers = answers
        if self._silent_looks >= SILENT_LOOKS_MAX and self._asking is None:
            self._silent_looks = 0
            self._asking = asyncio.create_task(self._ask({one._addr for one in owing}))

    async def _ask(self, servers: set[Any]) -> None:
        """Ask the servers that owe answers, and leave those that do not answer now either."""
        try:
            for server in servers:
                try:
                    await self._connector.ask(server)
                except UNREACHABLE:
                    self._leave(server)
                except Exception as error:  # noqa: BLE001 - whatever it refuses, it answers
                    logger.debug("database refuses to be asked: %s", error)
        finally:
            self._asking = None

    def _leave(self, server: Any) -> None:
        """End all connections to a server; who waits on one gets an error that is tried again."""
        connections = [one for one in self._connections if one._addr == server]
        self._say("database silent", server, len(connections))
        self._connector.avoid(server)
        for connection in connections:
            connection.terminate()

    def _say(self, message: str, server: Any, connection_count: int) -> None:
        facts = {"server": str(server), "connections_ended": connection_count}
        logger.error(message, extra={"facts": facts})
