"""A server that goes away while rows are sent to it is noticed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import asyncpg
import pytest

from gateway.errors import Overloaded
from gateway.ids import new_id
from gateway.ledger.store import ENTRY_COLUMNS
from gateway.storage.copying import copy_rows
from gateway.storage.database import Connection, Database


async def test_a_backend_terminated_while_a_copy_waits_to_send_more(
    database: Database, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    """The copy waits for a lock on the table, and its sender for room: both end when the backend does."""
    entry = (*[new_id()] * 2, 0, *[new_id()] * 2, 1, None, datetime.now(UTC), None, None, None)
    begun: asyncio.Queue[int] = asyncio.Queue()

    async def send(connection: Connection) -> None:
        begun.put_nowait(connection.get_server_pid())
        await copy_rows(connection, "ledger_entries", ENTRY_COLUMNS, [entry] * 50_000)

    async with asyncio.timeout(20), owner.transaction():
        await owner.execute("LOCK TABLE ledger_entries IN SHARE MODE")
        sending = asyncio.create_task(database.run_transaction(send))
        for _ in range(5):
            process_id = await begun.get()
            await asyncio.sleep(0.3)
            assert not sending.done()
            assert await owner.fetchval("SELECT pg_terminate_backend($1, 5000)", process_id)
        with pytest.raises(Overloaded):
            await sending
