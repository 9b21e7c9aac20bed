"""Run a use case that hands out identifiers again, if another one was faster."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from gateway.access import Caller
from gateway.errors import Overloaded
from gateway.operations.model import Answer, Operation, Request
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database

RACES_MAX = 5


class IdentifierRaced(Exception):
    """Somebody got an identifier after we saw that it was free; what we wrote is undone."""


async def run_once_despite_races(
    database: Database,
    caller: Caller,
    request: Request,
    work: Callable[[Connection, Operation], Awaitable[Any]],
) -> Answer:
    """Do what `run_once` does, from the start again when `work` raises IdentifierRaced: it then sees who has it.

    Raises:
        Overloaded: it lost five times in a row.
    """
    for _ in range(RACES_MAX):
        try:
            return await run_once(database, caller, request, work)
        except IdentifierRaced:
            continue
    raise Overloaded("These identifiers are changing hands right now; try again shortly.")
