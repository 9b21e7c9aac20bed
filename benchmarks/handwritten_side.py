"""The hand-written endpoint as a side: its own server, its own fresh database."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from uuid import uuid4

import orjson

from benchmarks.databases import fresh_database
from benchmarks.load import Call
from benchmarks.peers.seed_store import PeerWorld, seed_peer
from benchmarks.plan import Plan
from benchmarks.processes import answers_post, free_port, running
from benchmarks.sides import Side, Work, verify_nothing
from benchmarks.world import external_id


@contextmanager
def open_handwritten(plan: Plan) -> Iterator[Side]:
    """Run the endpoint on a fresh database with as much in it as the gateway's."""
    with fresh_database("handwritten", migrated=False) as database:
        world, wallet_ids = seed_peer(database, plan, "grant_reward.sql", "issue_rewards.sql")
        member_tokens = {f"token-{uuid4()}": str(member_id) for member_id in wallet_ids}
        port = free_port()
        settings = {
            "port": port,
            "database_url": database.owner_url,
            "tenant_id": str(world.tenant_id),
            "partner_id": str(world.partner_id),
            "organization_id": str(world.organization_id),
            "cash_id": str(world.cash_id),
            "partner_token": world.token,
            "member_tokens": member_tokens,
        }
        settings_path = database.data_dir / "handwritten.json"
        settings_path.write_bytes(orjson.dumps(settings))
        url = f"http://127.0.0.1:{port}"
        token = next(iter(member_tokens))
        is_ready = answers_post(f"{url}/wallet", b"{}", {"authorization": f"Bearer {token}"})
        command = [
            sys.executable,
            "-m",
            "benchmarks.peers.handwritten.application",
            str(settings_path),
        ]
        log_path = database.data_dir / "handwritten.log"
        with running(command, {}, is_ready, log_path) as process_id:
            calls = _calls(plan, world, list(member_tokens))
            versions = f"Starlette {version('starlette')}, asyncpg {version('asyncpg')}"
            yield Side("hand-written", versions, url, process_id, database, calls, verify_nothing)


def _calls(plan: Plan, world: PeerWorld, member_tokens: list[str]) -> dict[Work, Call]:
    members = [(external_id(number), world.token) for number in range(plan.members)]
    grant = {
        "clientReference": "{{reference}}",
        "member": {"externalId": "{{member}}"},
        "amount": "25.00",
        "actionCode": "device.purchase",
    }
    issue = {
        "requestId": "{{reference}}",
        "member": {"externalId": "{{member}}"},
        "rewards": [{"rewardId": str(reward_id)} for reward_id in world.reward_ids],
    }
    wallets = [("", token) for token in member_tokens]
    return {
        Work.GRANT: Call("/grants", _body(grant), '"status":"GRANTED"', members),
        Work.WALLET: Call("/wallet", "{}", '"hasNextPage":true', wallets),
        Work.ISSUE: Call("/issuances", _body(issue), '"status":"ALL"', members),
    }


def _body(value: object) -> str:
    return orjson.dumps(value).decode()
