"""Send many rows by COPY, and notice when the server goes away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any

import asyncpg

from gateway.storage.database import Connection


async def copy_rows(
    connection: Connection, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Append rows to a table; one round trip.

    asyncpg waits for ever where the connection is lost while it waits to send more: nobody tells it that it may go on.

    Raises:
        ConnectionResetError: the connection was lost.
        asyncpg.PostgresError: the server refuses the rows.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit:

            def give_up(_: object) -> None:
                loop.call_soon(_end_now, limit)

            connection.add_termination_listener(give_up)
            try:
                await connection.copy_records_to_table(table, columns=columns, records=rows)
            finally:
                # One that is lost has forgotten it already.
                with suppress(asyncpg.InterfaceError):
                    connection.remove_termination_listener(give_up)
    except TimeoutError as error:
        raise ConnectionResetError("The connection was lost while rows were sent.") from error


def _end_now(limit: asyncio.Timeout) -> None:
    if limit.when() is None:
        try:
            limit.reschedule(asyncio.get_running_loop().time())
        except RuntimeError:
            # The copy has ended already, with an error of its own.
            return
