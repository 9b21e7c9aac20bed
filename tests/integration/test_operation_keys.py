"""Keys that several requests claim at once."""

from __future__ import annotations

import asyncio

from gateway.ids import new_id
from gateway.operations.model import Operation, OperationKind, Request
from gateway.operations.once import claim
from gateway.storage.database import Connection, Database
from tests.catalog import open_shop

KEY_COUNT = 2_000


async def test_keys_are_claimed_in_one_order_whatever_the_order_of_requests(
    database: Database,
) -> None:
    """Two that claim the same keys wait for each other in one direction, and neither is broken off."""
    shop = await open_shop(database)
    keys = [f"key-{number}" for number in range(KEY_COUNT)]
    both = asyncio.Barrier(2)
    attempts: list[str] = []

    async def claim_all(ordered: list[str]) -> int:
        requests = [Request(OperationKind.GRANT_REWARD, key, {}, new_id()) for key in ordered]

        async def work(connection: Connection) -> int:
            attempts.append(ordered[0])
            await connection.fetch("SELECT 1")
            if len(attempts) <= 2:
                await both.wait()
            claimed = await claim(connection, shop.caller, requests)
            return sum(isinstance(each, Operation) for each in claimed)

        return await database.run_transaction(work)

    counts = await asyncio.gather(claim_all(keys), claim_all(keys[::-1]))
    assert sorted(counts) == [0, KEY_COUNT]
    assert len(attempts) == 2
