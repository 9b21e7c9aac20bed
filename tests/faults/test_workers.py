"""Several processes that serve together: each answers, one that dies is replaced, a key runs once, and all end in order."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
import httpx
import psutil
import pytest

from gateway.access import PARTNER_SCOPES
from gateway.ids import IdKind, encode_id
from gateway.storage.database import TENANT_TENTHS, Database
from gateway.storage.embedded_server import EmbeddedServer
from gateway.tenants.credentials import create_partner_token
from gateway.verifying.verify import verify
from tests.gateway_process import GatewayProcess, run_gateway, serve_to_the_end
from tests.sealing import SECRET_KEYS
from tests.waiting import WAIT_SECONDS_MAX, fetch_until, wait_for, wait_until_backends_wait
from tests.world import World, open_world

Value = TypeVar("Value")

WORKERS = 2
POOL_SIZE_MAX = 4
STARTED = "Application startup complete."
GRANT = """mutation ($key: String!, $member: ID!) {
    grantReward(input: {clientReference: $key, member: {id: $member}, reward: {custom: {amount: "5.00"}},
        actionCode: "daily.check-in"}) {
        ... on GrantRewardPayload { idempotentReplay grant { id } } ... on Error { code } } }"""


@pytest.fixture
def silence_seconds_max() -> int:
    """Return how long a worker may be silent; other tests parametrize it."""
    return 30


@pytest.fixture
def gateway(
    database_url: str, owner_database_url: str, tmp_path: Path, silence_seconds_max: int
) -> Iterator[GatewayProcess]:
    """Run a gateway of two processes, both of which take requests."""
    environment = {
        "DATABASE_URL": database_url,
        "MIGRATION_DATABASE_URL": owner_database_url,
        "SECRET_KEYS": SECRET_KEYS,
        "DATABASE_POOL_SIZE_MAX": str(POOL_SIZE_MAX),
        "LOCK_TIMEOUT_SECONDS": "60",
        "WORKER_SILENCE_SECONDS_MAX": str(silence_seconds_max),
    }
    with run_gateway(tmp_path, environment, "--workers", str(WORKERS)) as gateway:
        wait_for(lambda: len(gateway.log_lines(STARTED)) == WORKERS, "both workers")
        yield gateway


@pytest.fixture
async def world(database: Database) -> World:
    return await open_world(database)


@pytest.fixture
async def client(gateway: GatewayProcess, world: World) -> AsyncIterator[httpx.AsyncClient]:
    """Give a partner's client that opens a connection for each request."""
    caller = world.caller
    token = await create_partner_token(
        world.database,
        caller.tenant_id,
        caller.organization_id,
        "test",
        PARTNER_SCOPES,
        partner_id=caller.partner_id,
    )
    async with httpx.AsyncClient(
        headers={"Authorization": f"Bearer {token.text}", "Connection": "close"},
        limits=httpx.Limits(max_connections=50),
        timeout=WAIT_SECONDS_MAX,
        trust_env=False,
    ) as client:
        yield client


async def grant(
    client: httpx.AsyncClient, gateway: GatewayProcess, world: World, key: str
) -> dict[str, Any]:
    """Grant cash to the first member and return the answer."""
    variables = {"key": key, "member": encode_id(IdKind.MEMBER, world.members[0])}
    response = await client.post(gateway.address, json={"query": GRANT, "variables": variables})
    answer: dict[str, Any] = response.json()["data"]["grantReward"]
    return answer


async def grant_until_answered(
    client: httpx.AsyncClient, gateway: GatewayProcess, world: World, key: str
) -> str:
    """Grant as a client does, who sends the same request again when the connection breaks; return the grant's id."""
    while True:
        try:
            answer = await grant(client, gateway, world, key)
        except httpx.TransportError:
            continue
        grant_id: str = answer["grant"]["id"]
        return grant_id


async def count_grants(world: World) -> int:
    [row] = await world.database.fetch(
        "SELECT count(*) FROM grants WHERE tenant_id = $1", world.caller.tenant_id
    )
    return int(row["count"])


def answering(gateway: GatewayProcess) -> Counter[int]:
    """Count the requests that each process has logged."""
    return Counter(line["process"] for line in gateway.log_lines("request"))


@pytest.mark.requirement("OWN-6", "ALL-2")
async def test_200_uses_of_one_key_over_all_workers_run_once(
    gateway: GatewayProcess, client: httpx.AsyncClient, world: World
):
    answers = await asyncio.gather(*(grant(client, gateway, world, "one") for _ in range(200)))
    assert [answer["idempotentReplay"] for answer in answers].count(False) == 1
    assert len({answer["grant"]["id"] for answer in answers}) == 1
    assert await count_grants(world) == 1
    assert await verify(world.database) == []
    wait_for(lambda: answering(gateway).total() == 200, "every request in the log")
    assert set(answering(gateway)) == {worker.pid for worker in gateway.workers()}


async def test_code_of_a_typed_error_is_in_the_line_of_its_request(
    gateway: GatewayProcess, client: httpx.AsyncClient, world: World
):
    """However the operation runs: more times than it takes for it to be compiled."""
    variables = {"key": "nobody", "member": encode_id(IdKind.MEMBER, UUID(int=1))}
    for _ in range(12):
        response = await client.post(gateway.address, json={"query": GRANT, "variables": variables})
        assert response.json()["data"]["grantReward"]["code"] == "NOT_FOUND"
    await grant(client, gateway, world, "one")
    wait_for(lambda: answering(gateway).total() == 13, "every request in the log")
    lines = [line.get("error_codes") for line in gateway.log_lines("request")]
    assert sorted(map(str, lines)) == ["None"] + ["['NOT_FOUND']"] * 12


@pytest.mark.requirement("ALL-2", "ALL-4")
async def test_killed_worker_is_replaced_and_nothing_acknowledged_is_lost(
    gateway: GatewayProcess, client: httpx.AsyncClient, world: World
):
    victim, survivor = gateway.workers()
    keys = [f"key-{number}" for number in range(300)]
    under_way = [
        asyncio.create_task(grant_until_answered(client, gateway, world, key)) for key in keys
    ]
    await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
    victim.kill()
    ids = await asyncio.gather(*under_way)
    assert len(set(ids)) == len(keys)
    assert await count_grants(world) == len(keys)
    again = await asyncio.gather(*(grant(client, gateway, world, key) for key in keys))
    assert [answer["grant"]["id"] for answer in again] == ids
    assert all(answer["idempotentReplay"] for answer in again)
    assert await verify(world.database) == []

    workers = {worker.pid for worker in gateway.workers()}
    assert len(workers) == WORKERS
    assert survivor.pid in workers
    assert victim.pid not in workers
    [line] = gateway.log_lines("worker ended")
    assert line["ended"] == victim.pid
    assert line["exit_code"] == -signal.SIGKILL


@pytest.mark.requirement("ALL-2", "ALL-4")
@pytest.mark.parametrize("silence_seconds_max", [5])
async def test_stuck_worker_is_replaced_and_its_requests_are_answered(
    gateway: GatewayProcess, client: httpx.AsyncClient, world: World
):
    """A worker stands still, and with it every request that the kernel has given it; the others are answered meanwhile."""
    victim = gateway.workers()[0]
    victim.suspend()
    keys = [f"key-{number}" for number in range(40)]
    ids = await asyncio.gather(*(grant_until_answered(client, gateway, world, key) for key in keys))
    assert len(set(ids)) == len(keys)
    assert await count_grants(world) == len(keys)
    assert await verify(world.database) == []
    workers = {worker.pid for worker in gateway.workers()}
    assert len(workers) == WORKERS
    assert victim.pid not in workers
    assert victim.pid in {line["silent"] for line in gateway.log_lines("worker silent")}


async def test_every_worker_killed_again_and_again_is_replaced(gateway: GatewayProcess):
    for round_number in range(1, 7):
        for worker in gateway.workers():
            worker.kill()
        started = WORKERS * (round_number + 1)
        wait_for(lambda count=started: len(gateway.log_lines(STARTED)) == count, "new workers")  # type: ignore[misc]
    assert gateway.process.poll() is None
    assert len(gateway.workers()) == WORKERS


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
async def test_requests_under_way_are_finished_on_stop(
    gateway: GatewayProcess,
    client: httpx.AsyncClient,
    world: World,
    owner_database_url: str,
    stop: signal.Signals,
):
    """Grants wait for a lock in every worker; the gateway is told to stop; the lock is released: they are answered."""
    owner = await asyncpg.connect(owner_database_url)
    locked = owner.transaction()
    await locked.start()
    await owner.execute("LOCK TABLE grants IN EXCLUSIVE MODE")
    sent = [
        asyncio.create_task(grant(client, gateway, world, f"key-{number}")) for number in range(20)
    ]
    # More than one worker gives to a tenant.
    waiting = await wait_until_backends_wait(owner, POOL_SIZE_MAX * TENANT_TENTHS // 10 + 1)
    workers = gateway.workers()
    gateway.process.send_signal(stop)
    await asyncio.to_thread(wait_for, lambda: not is_listening(gateway.port), "a closed port")
    assert not any(task.done() and not task.exception() for task in sent)
    await locked.rollback()
    await owner.close()
    answers = await asyncio.gather(*sent, return_exceptions=True)
    # What had not been read by then is not done either.
    grants = [answer for answer in answers if not isinstance(answer, httpx.TransportError)]
    assert len(grants) >= waiting
    assert await count_grants(world) == len(grants)
    assert len({answer["grant"]["id"] for answer in grants}) == len(grants)  # type: ignore[index]
    assert await asyncio.to_thread(gateway.process.wait, WAIT_SECONDS_MAX) == 0
    assert not any(worker.is_running() for worker in workers)
    assert await verify(world.database) == []


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_workers_and_the_database_end_when_the_first_process_is_killed(server_folder: Path):
    with run_gateway(server_folder, {}, "--workers", str(WORKERS)) as gateway:
        wait_for(lambda: len(gateway.log_lines(STARTED)) == WORKERS, "both workers")
        workers = gateway.workers()
        gateway.process.kill()
        gateway.process.wait()
        _, running = psutil.wait_procs(workers, WAIT_SECONDS_MAX)
        assert running == []
        assert len(gateway.log_lines("Application shutdown complete.")) == WORKERS
        server = EmbeddedServer((server_folder / "data" / "postgres").resolve())
        wait_for(lambda: not server.is_running(), "the end of the database")


def test_gateway_whose_workers_could_not_start_ends_before(owner_database_url: str, tmp_path: Path):
    """The owner's address is right, so that migrations run; the application's is not. It says so before it takes requests."""
    environment = {
        "DATABASE_URL": owner_database_url.replace("/test_", "/missing_"),
        "MIGRATION_DATABASE_URL": owner_database_url,
        "SECRET_KEYS": SECRET_KEYS,
    }
    ended = serve_to_the_end(tmp_path, environment, "--workers", str(WORKERS))
    assert (ended.returncode, ended.stdout) == (1, "")
    [last] = ended.stderr.splitlines()
    assert last.startswith("gateway: The database ")
    assert last.endswith(" does not exist.")


async def test_jobs_go_on_when_the_worker_that_runs_them_is_killed(
    gateway: GatewayProcess, world: World
):
    """A hold ends by itself although each worker has been killed."""
    member = world.members[0]
    await world.distribute("fund", [(member, 7, 0)])
    for worker in gateway.workers():
        worker.kill()
    held = await world.reserve("hold", member, 5, seconds=1)
    status = await fetch_until(
        lambda: fetch_hold_status(world, held.hold.id), lambda status: status != "OPEN"
    )
    assert status == "EXPIRED"
    assert await verify(world.database) == []


async def fetch_hold_status(world: World, hold_id: UUID) -> str:
    [row] = await world.database.fetch(
        "SELECT status FROM holds WHERE tenant_id = $1 AND id = $2", world.caller.tenant_id, hold_id
    )
    status: str = row["status"]
    return status
