"""Set-based SQL as a side: a distribution inside the server, on a database like the gateway's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import asyncpg

from benchmarks.databases import OwnerConnection, SideDatabase, fresh_database
from benchmarks.failure import BenchmarkFailed
from benchmarks.peers.set_based_store import DISTRIBUTE
from benchmarks.plan import Plan
from benchmarks.world import World, open_world
from gateway.ids import new_id
from gateway.ledger.model import Account, OwnerKind

NAME = "set-based SQL"


@dataclass(frozen=True, slots=True)
class SetBasedSide:
    """A migrated database with a world in it."""

    database: SideDatabase
    world: World

    def distribute(self, batches: Sequence[Sequence[str]]) -> list[float]:
        """Distribute to each list of wallet addresses and return the seconds that each took.

        Raises:
            BenchmarkFailed: a line is missing.
        """

        async def work() -> list[float]:
            connection = await asyncpg.connect(self.database.owner_url)
            try:
                return [await self._distribute(connection, batch) for batch in batches]
            finally:
                await connection.close()

        return asyncio.run(work())

    async def _distribute(self, connection: OwnerConnection, addresses: Sequence[str]) -> float:
        caller = self.world.caller
        assets = caller.standard_assets
        issuance = [
            Account(asset_id, OwnerKind.ISSUANCE, caller.organization_id).id
            for asset_id in (assets.points_id, assets.experience_id)
        ]
        started = time.perf_counter()
        status = await connection.execute(
            DISTRIBUTE,
            caller.tenant_id,
            caller.organization_id,
            caller.partner_id,
            assets.points_id,
            issuance[0],
            assets.experience_id,
            issuance[1],
            addresses,
            str(new_id()),
            new_id(),
            new_id(),
        )
        seconds = time.perf_counter() - started
        if status != f"INSERT 0 {len(addresses)}":
            raise BenchmarkFailed(f"{len(addresses)} lines were to be distributed: {status}")
        return seconds


@contextmanager
def open_set_based(plan: Plan) -> Iterator[SetBasedSide]:
    """Prepare a fresh database with as much in it as the gateway's."""
    with fresh_database("set-based", migrated=True) as database:
        yield SetBasedSide(database, open_world(database, plan))
