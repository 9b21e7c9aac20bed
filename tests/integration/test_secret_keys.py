"""A gateway starts with the keys of its database only, and one without them decides nothing about what it cannot open."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from gateway.keys.model import Keys
from gateway.purchasing.client import VendorClient
from gateway.purchasing.purchaser import UNREACHED_ATTEMPTS_MAX, Purchaser
from gateway.sealing.starting import KeysMissing, find_missing_keys, require_keys
from gateway.storage.database import Database
from gateway.vendors.model import VendorSecurity
from tests.gateway_process import PROGRAM
from tests.sealing import KEYS, MASTER
from tests.vendor_shop import SECURITY, SSL_CONTEXT, NoServer, open_vendor_shop
from tests.waiting import WAIT_SECONDS_MAX

OTHER_MASTER = bytes(range(1, 33))
OTHER = Keys([OTHER_MASTER])
OLD_AND_NEW = Keys([OTHER_MASTER, MASTER])


async def fetch_ids(database: Database) -> list[str]:
    return [
        row["id"] for row in await database.fetch("SELECT id FROM secret_keys ORDER BY ordinal")
    ]


async def test_first_start_records_the_key_and_others_are_refused(database: Database):
    await require_keys(database, KEYS)
    await require_keys(database, KEYS)
    with pytest.raises(KeysMissing, match=f"lacks the key {KEYS.current_id}, which seals"):
        await require_keys(database, OTHER)
    assert await fetch_ids(database) == [KEYS.current_id]
    assert await find_missing_keys(database, OTHER) == [KEYS.current_id]


async def test_new_key_is_recorded_beside_the_old_one(database: Database):
    await require_keys(database, KEYS)
    await require_keys(database, OLD_AND_NEW)
    assert await fetch_ids(database) == [KEYS.current_id, OTHER.current_id]
    assert await find_missing_keys(database, OLD_AND_NEW) == []
    with pytest.raises(KeysMissing, match=f"lacks the key {OTHER.current_id}"):
        await require_keys(database, KEYS)


async def test_of_two_first_starts_with_different_keys_one_is_refused(
    database: Database, owner: asyncpg.Connection[asyncpg.Record]
):
    """At the same moment: neither sees the other's key before it has recorded its own."""
    for _ in range(10):
        outcomes = await asyncio.gather(
            *(require_keys(database, keys) for keys in (KEYS, OTHER) * 3), return_exceptions=True
        )
        (winner,) = await fetch_ids(database)
        expected = [None if keys.current_id == winner else KeysMissing for keys in (KEYS, OTHER)]
        assert [outcome and type(outcome) for outcome in outcomes] == expected * 3
        await owner.execute("DELETE FROM secret_keys")


@pytest.mark.parametrize("command", ["serve", "worker"])
async def test_command_with_a_wrong_key_ends_with_one_line(
    command: str, database: Database, owner_database_url: str, tmp_path: Path
):
    await require_keys(database, KEYS)
    result = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", PROGRAM, command],
        check=False,
        env=os.environ
        | {"DATABASE_URL": owner_database_url, "DATA_DIR": str(tmp_path), "PORT": "0"}
        | {"SECRET_KEYS": OTHER_MASTER.hex()},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
    )
    assert result.returncode == 1
    *_, last = result.stderr.splitlines()
    assert last.startswith("gateway: SECRET_KEYS ")
    assert KEYS.current_id in last
    assert await fetch_ids(database) == [KEYS.current_id]
    assert OTHER_MASTER.hex() not in result.stderr + result.stdout


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_command_without_keys_for_a_configured_database_ends_with_one_line(
    command: str, owner_database_url: str, tmp_path: Path
):
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, command],
        check=False,
        env={name: value for name, value in os.environ.items() if name != "SECRET_KEYS"}
        | {"DATABASE_URL": owner_database_url, "DATA_DIR": str(tmp_path), "PORT": "0"},
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS_MAX,
    )
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("gateway: SECRET_KEYS must be set where DATABASE_URL is")


@pytest.mark.requirement("CAP-5")
async def test_order_waits_while_the_key_of_its_secret_is_missing(
    database: Database, caplog: pytest.LogCaptureFixture
):
    """An operator's slip is no refusal of the vendor's, however often the order is tried meanwhile."""
    shop = await open_vendor_shop(database, NoServer())
    await shop.issue(None)
    security = VendorSecurity(SECURITY.addresses, OTHER)
    worker = Purchaser(database, VendorClient(security, SSL_CONTEXT))
    with caplog.at_level(logging.ERROR):
        for _ in range(UNREACHED_ATTEMPTS_MAX + 2):
            await shop.make_due()
            await worker.run_due()
            await worker.finish_begun()
    await worker.close()
    assert await shop.count("vendor_orders", "PENDING") == 1
    assert await shop.count("holds", "OPEN") == 1
    (order,) = await database.fetch("SELECT * FROM vendor_orders")
    reason = f"the gateway cannot read its secrets: SECRET_KEYS lacks the key {KEYS.current_id}."
    assert order["last_problem"] == reason
    assert order["attempt_count"] == UNREACHED_ATTEMPTS_MAX + 2
    assert not order["is_uncertain"]
    facts = [getattr(record, "facts", {}) for record in caplog.records]
    assert [fact["reason"] for fact in facts] == [reason] * (UNREACHED_ATTEMPTS_MAX + 2)
    await shop.make_due()
    await shop.settle()
    assert await shop.count("vendor_orders", "ISSUED") == 1
