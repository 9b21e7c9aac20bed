"""PostGraphile as a side: the released server, as `make bench-setup` installs it, on its own fresh database."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import orjson

from benchmarks.databases import fresh_database
from benchmarks.failure import BenchmarkFailed
from benchmarks.gateway_side import PAGE_SIZE
from benchmarks.load import Call
from benchmarks.operations import operation_body
from benchmarks.peers.seed_store import PEERS_DIR, PeerWorld, seed_peer
from benchmarks.plan import Plan
from benchmarks.processes import BUILD_DIR, answers_post, free_port, running
from benchmarks.sides import Side, Work, verify_nothing
from benchmarks.world import external_id

INSTALL_DIR = BUILD_DIR / "postgraphile"
NODE = INSTALL_DIR / "node_modules" / ".bin" / "node"
# Tried with 8, 16 and 32: it makes no difference here.
POOL_SIZE = 16
PRODUCTION = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}


@contextmanager
def open_postgraphile(plan: Plan) -> Iterator[Side]:
    """Run PostGraphile on a fresh database with as much in it as the gateway's."""
    if not NODE.exists():
        raise BenchmarkFailed("PostGraphile is not installed: make bench-setup")
    with fresh_database("postgraphile", migrated=False) as database:
        files = ("grant_reward.sql", "postgraphile/schema.sql")
        world, wallet_ids = seed_peer(database, plan, *files)
        port = free_port()
        settings = {
            "port": port,
            "database_url": database.owner_url,
            "pool_size": POOL_SIZE,
            "token": world.token,
        }
        settings_path = database.data_dir / "postgraphile.json"
        settings_path.write_bytes(orjson.dumps(settings))
        # Node looks for packages from where the file is.
        server = INSTALL_DIR / "server.mjs"
        shutil.copy(PEERS_DIR / "postgraphile" / "server.mjs", server)
        url = f"http://127.0.0.1:{port}"
        headers = {"authorization": f"Bearer {world.token}"}
        is_ready = answers_post(f"{url}/graphql", b'{"query":"{__typename}"}', headers)
        command = [str(NODE), str(server), str(settings_path)]
        log_path = database.data_dir / "postgraphile.log"
        with running(command, PRODUCTION, is_ready, log_path) as process_id:
            calls = _calls(plan, world, wallet_ids)
            name = f"PostGraphile {_installed_version()}"
            yield Side("PostGraphile", name, url, process_id, database, calls, verify_nothing)


def _calls(plan: Plan, world: PeerWorld, wallet_ids: list[UUID]) -> dict[Work, Call]:
    grant = {
        "tenant": str(world.tenant_id),
        "partner": str(world.partner_id),
        "organization": str(world.organization_id),
        "cashAsset": str(world.cash_id),
        "reference": "{{reference}}",
        "externalId": "{{member}}",
        "amountMinor": "2500",
        "actionCode": "device.purchase",
    }
    wallet = {"tenant": str(world.tenant_id), "member": "{{member}}", "first": PAGE_SIZE}
    members = [(external_id(number), world.token) for number in range(plan.members)]
    wallets = [(str(wallet_id), world.token) for wallet_id in wallet_ids]
    return {
        Work.GRANT: Call(
            "/graphql",
            operation_body("postgraphile/grant", {"input": grant}),
            '"status":"CONFIRMED"',
            members,
        ),
        Work.WALLET: Call(
            "/graphql",
            operation_body("postgraphile/wallet", wallet),
            '"hasNextPage":true',
            wallets,
        ),
    }


def _installed_version() -> str:
    package = INSTALL_DIR / "node_modules" / "postgraphile" / "package.json"
    version: str = orjson.loads(Path(package).read_bytes())["version"]
    return version
