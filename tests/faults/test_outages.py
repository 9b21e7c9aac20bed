"""Connections that vanish, a pool that is empty, callers that give up, a server that restarts: all under load.

Clients try again with the same key, as clients must. What was acknowledged stays; nothing is done twice.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

import asyncpg
import psutil
import pytest

from gateway.errors import Overloaded
from gateway.operations.model import RequestInProgress
from gateway.storage.database import Database
from gateway.storage.embedded import embedded_postgres
from gateway.storage.embedded_server import EmbeddedServer
from gateway.storage.migrate import migrate
from gateway.verifying.verify import verify
from tests.faults.conftest import OpenGateway
from tests.plugins.figures import SayFigures
from tests.sealing import KEYS
from tests.waiting import wait_until_backends_wait
from tests.world import World, open_world

CLIENTS = 16
ANSWER_TIMEOUT_SECONDS = 30


@dataclass(slots=True)
class Load:
    """Clients that each give and take points, one key after the other, until told to stop."""

    world: World
    acknowledged: dict[str, UUID] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    is_over: bool = False
    is_served: asyncio.Event = field(default_factory=asyncio.Event)

    async def run_client(self, client: int) -> None:
        """Distribute to all members, again with the same key until answered; then the next key."""
        number = 0
        while not self.is_over:
            number += 1
            key = f"{client}-{number}"
            members = random.sample(self.world.members, len(self.world.members))
            lines = [(member, 2, 1) for member in members]
            async with asyncio.timeout(ANSWER_TIMEOUT_SECONDS):
                self.acknowledged[key] = await self._call_until_answered(key, lines)
            self.is_served.set()

    async def _call_until_answered(self, key: str, lines: list[tuple[UUID, int, int]]) -> UUID:
        while True:
            try:
                return (await self.world.distribute(key, lines)).transaction_id
            except (Overloaded, RequestInProgress) as refusal:
                self.refusals[refusal.code] += 1
                await asyncio.sleep(random.random() * 0.05)

    async def assert_nothing_lost_or_doubled(self, database: Database) -> None:
        """Compare what clients were told with what is there."""
        world = replace(self.world, database=database)
        stored = await database.fetch(
            "SELECT id FROM ledger_transactions WHERE kind = 'DISTRIBUTION'"
        )
        assert {row["id"] for row in stored} == set(self.acknowledged.values())
        assert len(stored) == len(self.acknowledged)
        points = [await world.points_of(member) for member in world.members]
        assert points == [2 * len(self.acknowledged)] * len(world.members)
        assert await verify(database) == []


@asynccontextmanager
async def under_load(world: World) -> AsyncIterator[Load]:
    """Keep clients busy inside the block; at its end each gets its last answer."""
    load = Load(world)
    clients = [asyncio.create_task(load.run_client(client)) for client in range(CLIENTS)]
    yield load
    load.is_over = True
    await asyncio.gather(*clients)


@pytest.mark.requirement("ALL-2", "ALL-4")
async def test_backends_terminated_at_random(
    database: Database,
    open_gateway: OpenGateway,
    owner: asyncpg.Connection[asyncpg.Record],
    say_figures: SayFigures,
):
    world = await open_world(database, member_count=4)
    terminated = 0
    gateway = await open_gateway(pool_size_max=8)
    async with under_load(replace(world, database=gateway)) as load:
        until = time.monotonic() + 3
        while time.monotonic() < until:
            terminated += await owner.fetchval("""
                SELECT count(pg_terminate_backend(pid)) FROM (
                    SELECT pid FROM pg_stat_activity
                    WHERE datname = current_database() AND application_name = 'rewards-gateway' AND state <> 'idle'
                    ORDER BY random() LIMIT 1) AS victim
            """)
            await asyncio.sleep(0.02)
    assert terminated > 20
    await load.assert_nothing_lost_or_doubled(database)
    say_figures(
        f"{terminated} backends terminated in 3 s, {len(load.acknowledged)} calls of {CLIENTS} clients acknowledged,"
        f" none lost, none doubled; {load.refusals.total()} refusals before an answer"
    )


@pytest.mark.requirement("ALL-2")
async def test_an_exhausted_pool_refuses_and_recovers(
    database: Database, open_gateway: OpenGateway
):
    gateway = await open_gateway(pool_size_max=2, acquire_timeout_seconds=0.1)
    world = replace(await open_world(database), database=gateway)
    async with gateway.connection(), gateway.connection():
        with pytest.raises(Overloaded):
            await world.grant_cash("1", world.members[0])
    assert (await gateway.fetch("SELECT 1"))[0][0] == 1
    granted = await world.grant_cash("1", world.members[0])
    assert granted.idempotent_replay is False
    assert await verify(database) == []


@pytest.mark.requirement("ALL-2")
async def test_waiting_too_long_for_a_balance_refuses_and_frees_the_key(
    database: Database, open_gateway: OpenGateway, owner: asyncpg.Connection[asyncpg.Record]
):
    gateway = await open_gateway(lock_timeout_seconds=0.1)
    world = replace(await open_world(database), database=gateway)
    member = world.members[0]
    await world.distribute("fund", [(member, 5, 0)])
    async with owner.transaction():
        await owner.execute("SELECT FROM accounts FOR UPDATE")
        with pytest.raises(Overloaded):
            await world.distribute("again", [(member, 5, 0)])
    answer = await world.distribute("again", [(member, 5, 0)])
    assert answer.idempotent_replay is False
    assert await world.points_of(member) == 10


@pytest.mark.requirement("ALL-2")
async def test_waiting_too_long_for_a_key_says_in_progress(
    database: Database, open_gateway: OpenGateway, owner: asyncpg.Connection[asyncpg.Record]
):
    gateway = await open_gateway(lock_timeout_seconds=0.1)
    world = replace(await open_world(database), database=gateway)
    member = world.members[0]
    async with owner.transaction():
        await owner.execute("LOCK TABLE accounts IN EXCLUSIVE MODE")
        running = asyncio.create_task(
            replace(world, database=database).distribute("one", [(member, 5, 0)])
        )
        await wait_until_backends_wait(owner)
        with pytest.raises(RequestInProgress):
            await world.distribute("one", [(member, 5, 0)])
    assert (await running).idempotent_replay is False
    assert (await world.distribute("one", [(member, 5, 0)])).idempotent_replay is True
    assert await world.points_of(member) == 5


@pytest.mark.requirement("ALL-2")
async def test_cancelled_callers_leave_no_open_transaction(
    database: Database,
    open_gateway: OpenGateway,
    owner: asyncpg.Connection[asyncpg.Record],
    say_figures: SayFigures,
):
    gateway = await open_gateway(pool_size_max=8)
    world = replace(await open_world(database), database=gateway)
    member = world.members[0]
    await world.distribute("fund", [(member, 1000, 0)])
    outcomes: Counter[str] = Counter()

    async def give_up(number: int) -> None:
        call = asyncio.create_task(world.issue(f"buy-{number}", member, world.mug_reward))
        await asyncio.sleep(random.random() * 0.1)
        call.cancel()
        with suppress(asyncio.CancelledError, Overloaded):
            await call
        outcomes["cancelled" if call.cancelled() else "answered"] += 1

    for turn in range(8):
        await asyncio.gather(*(give_up(turn * 20 + number) for number in range(20)))
        # All connections can be borrowed at once, and none is amid a transaction.
        async with AsyncExitStack() as borrowed:
            for _ in range(8):
                connection = await borrowed.enter_async_context(gateway.connection())
                assert not connection.is_in_transaction()
    await wait_until_none(
        owner,
        """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state LIKE 'idle in transaction%'
        """,
    )
    # The client's second try settles each, whatever became of the first.
    for number in range(14):
        await world.issue(f"buy-{number}", member, world.mug_reward)
    assert outcomes["cancelled"] > 0
    assert await verify(database) == []
    say_figures(f"160 callers gave up within 0.1 s: {dict(outcomes)}, no transaction left open")


async def wait_until_none(owner: asyncpg.Connection[asyncpg.Record], count: str) -> None:
    """Return when a count is zero: a server that is told that its client is gone needs a moment, and a leak stays."""
    for _ in range(500):
        if not await owner.fetchval(count):
            return
        await asyncio.sleep(0.01)
    raise AssertionError(await owner.fetch("SELECT * FROM pg_stat_activity"))


@pytest.fixture
def durable_folder() -> Iterator[Path]:
    # Not pytest's tmp_path: PostgreSQL's own user, who runs it when tests run as root, could not reach it.
    with tempfile.TemporaryDirectory(prefix="rewards-gateway-") as path:
        yield Path(path)


@pytest.mark.slow
@pytest.mark.requirement("ALL-2", "ALL-4")
async def test_postgres_killed_and_restarted_under_load(
    durable_folder: Path, say_figures: SayFigures
):
    """The server waits for the disk before it acknowledges; it is killed outright, twice, and once stopped in order."""
    with embedded_postgres(durable_folder) as owner_url:
        await migrate(owner_url)
        server = EmbeddedServer(durable_folder / "postgres")
        database = await Database.open(owner_url, pool_size_max=8, keys=KEYS)
        world = await open_world(database, member_count=4)
        outages = []
        async with under_load(world) as load:
            for stop in (kill_outright, kill_outright, EmbeddedServer.stop):
                await asyncio.sleep(0.4)
                started = time.monotonic()
                await asyncio.to_thread(stop, server)
                await asyncio.to_thread(server.start)
                load.is_served.clear()
                await load.is_served.wait()
                outages.append(time.monotonic() - started)
        await load.assert_nothing_lost_or_doubled(database)
        await database.close()
    say_figures(
        f"{len(load.acknowledged)} calls acknowledged around 3 restarts, none lost, none doubled; back in service after"
        f" {', '.join(f'{seconds:.1f}' for seconds in outages)} s; {load.refusals.total()} refusals before an answer"
    )


def kill_outright(server: EmbeddedServer) -> None:
    """Kill the server and all its processes at once, as a power cut does to them."""
    pid = int((server.directory / "postmaster.pid").read_text().split()[0])
    postmaster = psutil.Process(pid)
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=5)
