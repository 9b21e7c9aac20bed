"""A gateway is killed with SIGKILL while its vendor sells; another process finds the voucher."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.access import PARTNER_SCOPES
from gateway.storage.database import Database
from gateway.tenants.credentials import create_partner_token
from tests.sealing import KEYS, SECRET_KEYS
from tests.vendor_shop import POINTS, PRICE, VendorServer, VendorShop, open_vendor_shop
from tests.waiting import wait_for

ISSUE = """mutation ($member: ID!, $reward: ID!) {
    issueRewards(input: {requestId: "1", member: {id: $member}, rewards: [{rewardId: $reward}]}) {
        ... on IssueRewardsPayload { idempotentReplay status { code } results {
            status { code } transactionId pointsReferenceIds payment { pointsRedeemed }
            grant { status benefits { ... on VendorVoucher {
                voucher validTill offerName seriesId quantity pointsRedeemed } } } } } } }"""
OPERATION = """{ operation(kind: ISSUE_REWARDS, key: "1") { found isComplete safeToRetry } }"""


@contextmanager
def run_gateway(command: str, url: str, data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the gateway's command as a process of its own."""
    environment = os.environ | {
        "DATABASE_URL": url,
        "DATA_DIR": str(data_dir),
        "PORT": "0",
        "LOG_LEVEL": "ERROR",
        "VENDOR_ALLOW_LOOPBACK": "true",
        "SECRET_KEYS": SECRET_KEYS,
    }
    program = "import sys; from gateway.cli import main; sys.argv[0] = 'gateway'; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, command],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


def find_address(process: subprocess.Popen[str]) -> str:
    """Return the address that the server prints first, when it listens."""
    assert process.stdout is not None
    return process.stdout.readline().split()[1]


@pytest.fixture
async def far_shop(pristine_database_url: str, server: VendorServer) -> AsyncIterator[VendorShop]:
    """Open a shop in a database that other processes work on."""
    database = await Database.open(pristine_database_url, pool_size_max=3, keys=KEYS)
    yield await open_vendor_shop(database, server)
    await database.close()


@pytest.mark.requirement("CAP-5", "CAP-17", "ALL-2", "ALL-4")
@pytest.mark.parametrize("rescuer", ["serve", "worker"])
async def test_killed_gateway_loses_no_voucher(
    far_shop: VendorShop, pristine_database_url: str, tmp_path: Path, rescuer: str
) -> None:
    caller = far_shop.caller
    token = await create_partner_token(
        far_shop.database,
        caller.tenant_id,
        caller.organization_id,
        "test",
        PARTNER_SCOPES,
        partner_id=caller.partner_id,
    )
    headers = {"Authorization": f"Bearer {token.text}"}
    variables = {
        "member": f"mem_{far_shop.member.value}",
        "reward": f"rew_{far_shop.paid_reward_id}",
    }

    def post(address: str, query: str, **variables: str) -> Any:
        body = {"query": query, "variables": variables}
        answer = httpx.post(address, json=body, headers=headers, timeout=60)
        data = answer.raise_for_status().json()["data"]
        return next(iter(data.values()))

    far_shop.server.behave("late")
    with (
        ThreadPoolExecutor() as threads,
        run_gateway("serve", pristine_database_url, tmp_path) as gateway,
    ):
        call = threads.submit(post, find_address(gateway), ISSUE, **variables)
        wait_for(lambda: bool(far_shop.server.vouchers), "a voucher")
        gateway.kill()
        with pytest.raises(httpx.HTTPError):
            call.result()
    assert await far_shop.balance() == (POINTS, PRICE)
    await far_shop.check_promises(settled=False)
    # The lease of the dead process would end by itself, in twenty seconds.
    await far_shop.make_due()
    with run_gateway(rescuer, pristine_database_url, tmp_path):
        deadline = time.monotonic() + 60
        while await far_shop.count("vendor_orders", "PENDING") and time.monotonic() < deadline:
            time.sleep(0.05)  # noqa: ASYNC251 - nothing else runs here
    await far_shop.check_promises()
    with run_gateway("serve", pristine_database_url, tmp_path) as gateway:
        address = find_address(gateway)
        operation = post(address, OPERATION)
        replay = post(address, ISSUE, **variables)
    assert operation == {"found": True, "isComplete": True, "safeToRetry": True}
    assert (replay["idempotentReplay"], replay["status"]["code"]) == (True, "ALL")
    (result,) = replay["results"]
    assert result["status"] == {"code": "GRANTED"}
    assert len(result["pointsReferenceIds"]) == 1
    assert result["payment"] == {"pointsRedeemed": "30"}
    assert result["grant"] == {
        "status": "CLAIMED",
        "benefits": [
            {
                "voucher": "V-0001",
                "validTill": "2027-11-01",
                "offerName": "Coffee",
                "seriesId": "234",
                "quantity": 1,
                "pointsRedeemed": "30",
            }
        ],
    }
    assert len(far_shop.server.vouchers) == 1
