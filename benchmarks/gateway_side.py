"""The gateway itself, as shipped and in production mode."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from benchmarks.databases import SideDatabase, fresh_database
from benchmarks.failure import BenchmarkFailed
from benchmarks.load import Call
from benchmarks.operations import operation_body
from benchmarks.plan import Plan
from benchmarks.processes import answers_post, free_port, running
from benchmarks.sides import Side, Work
from benchmarks.world import World, external_id, open_world
from gateway.ids import IdKind, encode_id
from gateway.storage.database import Database
from gateway.verifying.report import report
from gateway.verifying.verify import verify

PAGE_SIZE = 20
GRANTED_MARKER = '"idempotentReplay":false,"status":{"code":"GRANTED"}'
COMMAND = (sys.executable, "-c", "from gateway.cli import main; main()", "serve")


@contextmanager
def open_gateway(plan: Plan, workers: int = 1) -> Iterator[Side]:
    """Run `gateway serve` on a fresh database with a world in it, as one process or several."""
    name = "gateway" if workers == 1 else f"gateway, {workers} processes"
    with fresh_database("gateway", migrated=True) as database:
        world = open_world(database, plan)
        calls = gateway_calls(world)
        with serve_gateway(database, calls[Work.WALLET], workers=workers) as (url, process_id):
            yield Side(
                name,
                version("rewards-gateway"),
                url,
                process_id,
                database,
                calls,
                lambda: verify_ledger(database),
            )


@contextmanager
def serve_gateway(
    database: SideDatabase,
    probe: Call,
    *,
    workers: int = 1,
    poll_seconds: float = 0.02,
    settings: Mapping[str, str] | None = None,
) -> Iterator[tuple[str, int]]:
    """Run `gateway serve` in production mode; yield its address and process id once it has answered `probe`.

    Several workers are that process's children.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    member, token = probe.values[0]
    body = probe.body.replace("{{member}}", member).encode()
    is_ready = answers_post(url + probe.path, body, {"authorization": f"Bearer {token}"})
    environment = {
        "DATA_DIR": str(database.data_dir),
        "HOST": "127.0.0.1",
        "PORT": str(port),
        "DEVELOPMENT": "false",
        "WORKERS": str(workers),
        **(settings or {}),
    }
    log_path = database.data_dir / "gateway.log"
    with running(COMMAND, environment, is_ready, log_path, poll_seconds=poll_seconds) as process_id:
        yield url, process_id


def gateway_calls(world: World) -> dict[Work, Call]:
    """Return how the gateway is asked for each kind of work."""
    members = [
        (external_id(number), world.partner_token) for number in range(len(world.member_ids))
    ]
    return {
        Work.GRANT: Call(
            "/graphql", operation_body("gateway/grant", grant_variables()), GRANTED_MARKER, members
        ),
        Work.WALLET: wallet_probe(world),
        Work.ISSUE: Call(
            "/graphql",
            operation_body("gateway/issue", issue_variables(world)),
            '"status":{"code":"ALL"',
            members,
        ),
    }


def wallet_probe(world: World) -> Call:
    """Return how the gateway is asked for the first page of a wallet."""
    return wallet_call(world.member_tokens, None)


def wallet_call(member_tokens: Sequence[str], after: str | None) -> Call:
    """Return how the gateway is asked for the page of a wallet that follows a cursor, and is not the last one."""
    body = operation_body("gateway/wallet", {"first": PAGE_SIZE, "after": after})
    values = [("", token) for token in member_tokens]
    return Call("/graphql", body, '"hasNextPage":true', values)


def grant_variables() -> dict[str, object]:
    """Return the variables of one grant, with its placeholders."""
    return {
        "input": {
            "clientReference": "{{reference}}",
            "member": {"externalId": "{{member}}"},
            "reward": {"custom": {"amount": "25.00"}},
            "actionCode": "device.purchase",
        }
    }


def issue_variables(world: World) -> dict[str, object]:
    """Return the variables of one issuance of all five rewards, with its placeholders."""
    return {
        "input": {
            "requestId": "{{reference}}",
            "member": {"externalId": "{{member}}"},
            "rewards": [{"rewardId": encode_id(IdKind.REWARD, reward)} for reward in world.rewards],
        }
    }


def verify_ledger(database: SideDatabase) -> None:
    """Check every invariant of the ledger, as `gateway verify` does.

    Raises:
        BenchmarkFailed: one is broken: a fast wrong ledger is a fault.
    """

    async def find() -> list[str]:
        pool = await Database.open(database.application_url, pool_size_max=1)
        try:
            findings = await verify(pool)
            return report(findings) if findings else []
        finally:
            await pool.close()

    if lines := asyncio.run(find()):
        raise BenchmarkFailed("\n".join(["The ledger is broken.", *lines]))
