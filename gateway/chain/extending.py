"""Make blocks of what was written since the last one: a job beside requests, which it never locks or waits for.

Round trips: one to take tenants; then three a block of at most 1,000 rows of each table, so that memory is bounded too. Of
processes that do so at once one makes a tenant's blocks; where two try, the second one's block is refused by its number.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID

from gateway.chain import block_store as store
from gateway.chain.fact_store import pack_facts
from gateway.chain.heads import HeadsFile
from gateway.chain.merkle import make_root
from gateway.chain.model import (
    HASH_BYTES,
    NOTHING,
    Block,
    Head,
    Header,
    Positions,
    is_authentic,
    make_head,
)
from gateway.ids import new_id
from gateway.keys.model import Keys
from gateway.repeats import FaultLog
from gateway.settings import Settings
from gateway.storage.database import Connection, Database

logger = logging.getLogger(__name__)
BROKEN = FaultLog(logger, "chain cannot go on")
FAULTS = FaultLog(logger, "chain was not extended")

ROWS_MAX = 1_000
LEASE_SECONDS = 10.0
# While they cannot be published. Later ones vouch for those that are dropped.
UNPUBLISHED_MAX = 10_000


class ChainBroken(Exception):
    """A tenant's chain cannot go on: `gateway verify --chain` tells what was done to it."""


class Publisher(Protocol):
    """Takes heads to where the database's owner cannot change them."""

    def publish(self, heads: list[Head]) -> None:
        """Append them."""
        ...


@dataclass(slots=True)
class Extender:
    """Makes blocks for one process."""

    database: Database
    keys: Keys
    publisher: Publisher | None = None
    rows_max: int = ROWS_MAX
    _holder_id: UUID = field(default_factory=new_id)
    # What this process has made: a chain that is shorter than it was has been cut.
    _made: dict[UUID, int] = field(default_factory=dict)
    _unpublished: list[Head] = field(default_factory=list)

    async def extend_due(self) -> int:
        """Make one block for each tenant that has something to chain, and publish their heads.

        Returns the number of facts if one of the blocks was full, so that there is more to chain; else 0.
        """
        async with self.database.connection() as connection:
            tenant_ids = await store.lease_tenants(connection, self._holder_id, LEASE_SECONDS)
        heads: list[Head] = []
        try:
            for tenant_id in tenant_ids:
                try:
                    head = await self._extend(tenant_id)
                except ChainBroken as fault:
                    BROKEN.note(fault, tenant_id=str(tenant_id))
                except Exception as fault:  # noqa: BLE001 - whatever it is, it is logged, and other tenants' chains go on
                    FAULTS.note(fault, tenant_id=str(tenant_id))
                else:
                    heads += [head] if head else []
        finally:
            await self._publish(heads)
        counts = [head.header.fact_count for head in heads]
        return sum(counts) if any(count >= self.rows_max for count in counts) else 0

    async def _publish(self, heads: list[Head]) -> None:
        """Publish heads, and those before them that could not be; on a thread, for the disk may be slow."""
        if self.publisher is None:
            return
        self._unpublished = [*self._unpublished, *heads][-UNPUBLISHED_MAX:]
        if self._unpublished:
            await asyncio.to_thread(self.publisher.publish, self._unpublished)
            self._unpublished = []

    async def _extend(self, tenant_id: UUID) -> Head | None:
        async with self.database.transaction() as connection:
            last = await store.fetch_last_head(connection, tenant_id)
            self._check(tenant_id, last)
            after = last.header.until if last else Positions()
            reach = await store.find_reach(connection, tenant_id, after, self.rows_max)
            if max(position.written_in for position in after) >= reach.next:
                message = "The database counts its transactions anew, as one does that was restored from a dump."
                raise ChainBroken(message)
            if reach.until == after:
                return None
            block = await self._make(connection, tenant_id, last, reach.until)
            if not await store.insert_block(connection, block):
                return None
        self._made[tenant_id] = block.head.header.number
        return block.head

    def _check(self, tenant_id: UUID, last: Head | None) -> None:
        """See that the block to follow is one of ours: nothing is built on what somebody else has put there."""
        if (last.header.number if last else 0) < self._made.get(tenant_id, 0):
            raise ChainBroken("Blocks that were made are gone.")
        if last is not None and not is_authentic(self.keys, last):
            raise ChainBroken(f"Block {last.header.number} was not made with the key.")

    async def _make(
        self, connection: Connection, tenant_id: UUID, last: Head | None, until: Positions
    ) -> Block:
        after = last.header.until if last else Positions()
        facts = await pack_facts(connection, tenant_id, after, until)
        header = Header(
            tenant_id=tenant_id,
            number=last.header.number + 1 if last else 1,
            previous=last.link if last else NOTHING,
            until=until,
            fact_count=len(facts),
            root=make_root(split_hashes(facts.hashes)),
            made_at=datetime.now(UTC),
            key_id=self.keys.current_id,
        )
        return Block(make_head(self.keys, header), facts)


def open_extender(settings: Settings, database: Database, keys: Keys) -> Extender:
    """Return what makes blocks for this process and publishes their heads where the settings say."""
    publisher = HeadsFile(settings.chain_heads) if settings.chain_heads else None
    return Extender(database, keys, publisher)


def split_hashes(packed: bytes) -> list[bytes]:
    """Return each of the hashes that stand one behind the other."""
    return [packed[start : start + HASH_BYTES] for start in range(0, len(packed), HASH_BYTES)]
