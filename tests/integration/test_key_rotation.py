"""Changing keys: everything is sealed with the new one, while coupons are granted and codes are loaded."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.access import Caller
from gateway.cli import application
from gateway.demo.seed import ensure_demo
from gateway.granting.grant_reward import grant_reward
from gateway.granting.model import CatalogReward, GrantCommand
from gateway.grants.codes import open_benefit
from gateway.ids import new_id
from gateway.keys.model import CannotOpen, Keys
from gateway.members.model import MemberReference
from gateway.purchasing.client import VendorClient
from gateway.purchasing.purchaser import Purchaser
from gateway.rewards.code_pools import ImportCodes, import_codes
from gateway.rewards.codes import open_code
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.sealing import rotating
from gateway.sealing.places import PLACES
from gateway.sealing.rotating import count_by_key, reseal_all
from gateway.sealing.sealed_store import OwnerConnection, connect_owner
from gateway.sealing.starting import KeysMissing, require_keys
from gateway.storage.database import Database, OperatorNeeded
from gateway.vendors.model import VendorSecurity
from tests.catalog import Shop
from tests.sealing import KEYS, MASTER
from tests.use_cases import add_members, find_broken
from tests.vendor_shop import SECURITY, SSL_CONTEXT, NoServer, open_vendor_shop

NEW_MASTER = bytes(range(100, 132))
NEW = Keys([NEW_MASTER])
BOTH = Keys([NEW_MASTER, MASTER])


def say_nothing(_: str, __: int) -> None:
    return


@pytest.fixture
async def owner_connection(owner_database_url: str) -> AsyncIterator[OwnerConnection]:
    connection = await connect_owner(owner_database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def gateway_with_both(database_url: str) -> AsyncIterator[Database]:
    database = await Database.open(database_url, pool_size_max=5, keys=BOTH)
    yield database
    await database.close()


async def grant(database: Database, caller: Caller, member_id: object, reward_id: object) -> str:
    command = GrantCommand(
        str(new_id()),
        MemberReference(None, str(member_id)),
        CatalogReward(reward_id),  # type: ignore[arg-type]  # an id
        None,
        {},
    )
    made = (await grant_reward(database, caller, command)).grant
    return open_benefit(database.keys, caller.tenant_id, made.id, made.benefits[0])


async def test_owner_is_connected_by_the_same_addresses_as_every_command(owner_database_url: str):
    mark = "&" if "?" in owner_database_url else "?"
    connection = await connect_owner(f"{owner_database_url}{mark}connect_timeout=2")
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_login_that_does_not_own_the_tables_seals_nothing_anew(database_url: str):
    connection = await connect_owner(database_url)
    with pytest.raises(OperatorNeeded, match="MIGRATION_DATABASE_URL must name the login"):
        await reseal_all(connection, BOTH, say_nothing)
    await connection.close()


async def test_everything_is_sealed_anew(
    database: Database,
    owner_connection: OwnerConnection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(rotating, "ROWS_PER_TRANSACTION", 3)
    await require_keys(database, KEYS)
    assert await ensure_demo(database, tmp_path)
    shop = await open_vendor_shop(database, NoServer())
    await shop.issue(None)
    await shop.settle()
    await shop.issue(None)
    before = await count_by_key(owner_connection)
    assert list(before) == [KEYS.current_id]
    assert set(before[KEYS.current_id]) == {place.name for place in PLACES}
    await require_keys(database, BOTH)
    told: dict[str, int] = {}
    await reseal_all(owner_connection, BOTH, told.__setitem__)
    assert told == dict(before[KEYS.current_id])
    assert await count_by_key(owner_connection) == {NEW.current_id: before[KEYS.current_id]}
    # The old key is no longer needed, and no longer enough.
    await require_keys(database, NEW)
    with pytest.raises(KeysMissing):
        await require_keys(database, KEYS)
    for place in PLACES:
        rows = await owner_connection.fetch(place.statements.find, place.header(bytes(9)), 100)
        assert rows
        for row in rows:
            place.reseal(NEW, row)
            with pytest.raises(CannotOpen):
                place.reseal(KEYS, row)
    # An order goes on to its vendor with what the new key opens.
    client = VendorClient(VendorSecurity(SECURITY.addresses, NEW), SSL_CONTEXT)
    worker = Purchaser(database, client)
    await shop.make_due()
    await worker.run_due()
    await worker.close()
    (order,) = await database.fetch(
        "SELECT last_problem FROM vendor_orders WHERE status = 'PENDING'"
    )
    assert order["last_problem"] == "it could not be reached"


async def test_coupons_are_granted_and_codes_loaded_meanwhile(
    shop: Shop,
    gateway_with_both: Database,
    owner_connection: OwnerConnection,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(rotating, "ROWS_PER_TRANSACTION", 5)
    codes = [f"CODE-{number:03}" for number in range(120)]
    pool_id = await shop.create_pool(*codes)
    reward = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    members = await add_members(shop, 90)
    given = [await grant(shop.database, shop.caller, member, reward.id) for member in members[:30]]
    tasks = [
        asyncio.create_task(grant(gateway_with_both, shop.caller, member, reward.id))
        for member in members[30:]
    ]

    async def load(number: int) -> int:
        again = ImportCodes(f"again-{number}", pool_id, [*codes[number:], f"fresh-{number}"])
        return (await import_codes(gateway_with_both, shop.caller, again)).accepted_count

    loading = [asyncio.create_task(load(number)) for number in range(10)]
    await reseal_all(owner_connection, BOTH, say_nothing)
    given += await asyncio.gather(*tasks)
    assert await asyncio.gather(*loading) == [1] * 10
    assert len(set(given)) == 90
    assert await find_broken(shop.database) == {}
    # What was loaded with the old key is known under the new one.
    command = ImportCodes("after", pool_id, [codes[0].lower(), codes[119], "fresh-0", "last"])
    assert (await import_codes(gateway_with_both, shop.caller, command)).accepted_count == 1
    rows = await shop.database.fetch("SELECT id, code_sealed FROM codes")
    opened = {open_code(NEW, shop.caller.tenant_id, *row) for row in rows}
    assert opened == {*codes, *(f"fresh-{number}" for number in range(10)), "last"}


async def test_code_loaded_with_another_key_is_known_before_the_change(
    shop: Shop, gateway_with_both: Database
):
    pool_id = await shop.create_pool("A", "B")
    command = ImportCodes("1", pool_id, ["a", "C", "B", "C"])
    outcome = await import_codes(gateway_with_both, shop.caller, command)
    assert (outcome.accepted_count, outcome.duplicate_count) == (1, 3)


async def test_broken_off_change_goes_on(
    shop: Shop, owner_connection: OwnerConnection, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(rotating, "ROWS_PER_TRANSACTION", 4)
    await require_keys(shop.database, KEYS)
    await require_keys(shop.database, BOTH)
    await shop.create_pool(*(f"CODE-{number}" for number in range(10)))
    first, *_ = PLACES
    header = first.header(b"\x01" + bytes.fromhex(NEW.current_id))
    assert await rotating._reseal_some(owner_connection, BOTH, first, header) == 4
    counts = await count_by_key(owner_connection)
    assert {key_id: count.total() for key_id, count in counts.items()} == {
        KEYS.current_id: 6,
        NEW.current_id: 4,
    }
    told: dict[str, int] = {}
    await reseal_all(owner_connection, BOTH, told.__setitem__)
    assert told[first.name] == 6
    assert set(await count_by_key(owner_connection)) == {NEW.current_id}


async def test_change_without_the_old_key_changes_nothing(
    shop: Shop, owner_connection: OwnerConnection
):
    await require_keys(shop.database, KEYS)
    await shop.create_pool("A")
    with pytest.raises(CannotOpen, match=f"SECRET_KEYS lacks the key {KEYS.current_id}"):
        await reseal_all(owner_connection, NEW, say_nothing)
    assert set(await count_by_key(owner_connection)) == {KEYS.current_id}
    assert [row["id"] for row in await shop.database.fetch("SELECT id FROM secret_keys")] == [
        KEYS.current_id
    ]


@pytest.fixture
def runner(owner_database_url: str, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("DATABASE_URL", owner_database_url)
    return CliRunner()


def test_commands_say_what_they_do(runner: CliRunner, monkeypatch: pytest.MonkeyPatch):
    def run(*masters: bytes, command: str) -> str:
        monkeypatch.setenv("SECRET_KEYS", ",".join(master.hex() for master in masters))
        result = runner.invoke(application, ["keys", command], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        assert not any(master.hex() in result.output for master in masters)
        return result.output

    assert run(MASTER, command="list").split() == [KEYS.current_id, "current", "nothing"]
    assert f"Everything is sealed with {KEYS.current_id}" in run(MASTER, command="rotate")
    assert "0  codes of pools" in run(NEW_MASTER, MASTER, command="rotate")
    listed = run(NEW_MASTER, MASTER, command="list").splitlines()
    assert [line.split()[:2] for line in listed] == [
        [NEW.current_id, "current"],
        [KEYS.current_id, "configured"],
    ]
