"""A receipt proves what a grant was, offline and with the public key alone; whatever is changed in it proves nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest
from typer.testing import CliRunner

from gateway.chain.extending import Extender
from gateway.chain.heads import HeadsFile
from gateway.chain.receipts import InvalidReceipt, check_receipt, make_receipt, public_keys
from gateway.cli import application
from gateway.errors import NotFound
from gateway.ids import IdKind, encode_id, new_id
from gateway.keys.model import Keys
from gateway.storage.database import Database
from tests.sealing import KEYS, SECRET_KEYS
from tests.world import World, live_a_little, open_world

PUBLIC = public_keys(KEYS)[KEYS.current_id]


@pytest.fixture
async def world(database: Database) -> World:
    return await open_world(database, codes=["first", "second"])


async def extend(
    world: World, owner: asyncpg.Connection[asyncpg.Record], heads: Path | None = None
) -> None:
    """Make blocks until no grant waits, whatever else runs on the server."""
    extender = Extender(world.database, KEYS, HeadsFile(heads) if heads else None)
    waiting = "SELECT count(*) FROM grants WHERE written_in > coalesce((SELECT max(grants_until) FROM chain_blocks), 0)"
    while await owner.fetchval(waiting):
        await extender.extend_due()


async def make(world: World, owner: asyncpg.Connection[asyncpg.Record]) -> dict[str, Any]:
    grant = await world.grant("1", world.members[0], world.points_reward)
    await world.distribute("others", [(member, 1, 1) for member in world.members])
    await extend(world, owner)
    return await make_receipt(world.database, world.caller.tenant_id, grant.grant.id)


async def test_receipt_tells_what_was_granted(
    world: World, owner: asyncpg.Connection[asyncpg.Record]
):
    receipt = await make(world, owner)
    proven = check_receipt(orjson.loads(orjson.dumps(receipt)), PUBLIC)
    grant, claim = proven.facts
    assert (grant[0], claim[0]) == ("grant", "claim")
    assert grant[1] == str(world.caller.tenant_id)
    assert encode_id(IdKind.GRANT, UUID(grant[2])) == receipt["grant"]
    assert str(world.members[0]) in grant
    assert proven.head.header.fact_count > len(proven.facts)


async def test_every_grant_has_a_receipt(world: World, owner: asyncpg.Connection[asyncpg.Record]):
    """Reversed, claimed and expired ones too, whose facts came one by one."""
    await live_a_little(world)
    await extend(world, owner)
    rows = await owner.fetch("SELECT id, status FROM grants")
    assert {row["status"] for row in rows} >= {"CLAIMED", "REVERSED"}
    for row in rows:
        receipt = await make_receipt(world.database, world.caller.tenant_id, row["id"])
        names = [fact[0] for fact in check_receipt(receipt, PUBLIC).facts]
        assert ("reversal" in names) == (row["status"] == "REVERSED")


def _change_amount(receipt: dict[str, Any]) -> None:
    fact = receipt["facts"][0]
    fact["content"] = re.sub(r'"amount_minor": \d+', '"amount_minor": 998000', fact["content"])


CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "amount": _change_amount,
    "grant": lambda receipt: receipt.update(grant=encode_id(IdKind.GRANT, new_id())),
    "root": lambda receipt: receipt["head"].update(root="00" * 32),
    "time": lambda receipt: receipt["head"].update(madeAt="2026-01-01T00:00:00+00:00"),
    "signature": lambda receipt: receipt["head"].update(signature="00" * 64),
    "place": lambda receipt: receipt["facts"][0].update(index=receipt["facts"][0]["index"] + 1),
    "path": lambda receipt: receipt["facts"][0]["path"].pop(),
    "facts": lambda receipt: receipt["facts"].clear(),
    "fact": lambda receipt: receipt["facts"].append({"content": "[]", "index": 0, "path": []}),
    "head": lambda receipt: receipt.pop("head"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_changed_receipt_proves_nothing(
    world: World, owner: asyncpg.Connection[asyncpg.Record], change: str
):
    receipt = await make(world, owner)
    CHANGES[change](receipt)
    with pytest.raises(InvalidReceipt):
        check_receipt(receipt, PUBLIC)


async def test_key_of_another_proves_nothing(
    world: World, owner: asyncpg.Connection[asyncpg.Record]
):
    receipt = await make(world, owner)
    other = Keys([bytes(32)])
    with pytest.raises(InvalidReceipt, match="not signed with this key"):
        check_receipt(receipt, public_keys(other)[other.current_id])


async def test_no_receipt_before_a_block_or_after_an_edit(
    world: World, owner: asyncpg.Connection[asyncpg.Record]
):
    tenant_id = world.caller.tenant_id
    grant = (await world.grant("1", world.members[0], world.points_reward)).grant
    with pytest.raises(NotFound, match="a moment ago"):
        await make_receipt(world.database, tenant_id, grant.id)
    await extend(world, owner)
    await owner.execute("UPDATE grants SET member_id = gen_random_uuid()")
    with pytest.raises(NotFound, match="verify --chain"):
        await make_receipt(world.database, tenant_id, grant.id)
    with pytest.raises(NotFound):
        await make_receipt(world.database, tenant_id, new_id())


async def test_receipt_names_no_metadata(world: World, owner: asyncpg.Connection[asyncpg.Record]):
    grant = (await world.grant("1", world.members[0], world.points_reward)).grant
    await owner.execute('UPDATE grants SET metadata = \'{"note": "suspected"}\'')
    await extend(world, owner)
    receipt = await make_receipt(world.database, world.caller.tenant_id, grant.id)
    assert "suspected" not in orjson.dumps(receipt).decode()


async def test_commands_make_and_check(
    world: World,
    owner: asyncpg.Connection[asyncpg.Record],
    owner_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("DATABASE_URL", owner_database_url)
    monkeypatch.setenv("SECRET_KEYS", SECRET_KEYS)
    heads, file = tmp_path / "heads", tmp_path / "receipt.json"
    grant = (await world.grant("1", world.members[0], world.points_reward)).grant
    await extend(world, owner, heads)

    def run(*arguments: str) -> tuple[int, str]:
        # The commands bring event loops of their own.
        with ThreadPoolExecutor(1) as thread:
            result = thread.submit(CliRunner().invoke, application, arguments).result()
        return result.exit_code, result.output

    code, text = run(
        "receipt",
        "grant",
        encode_id(IdKind.GRANT, grant.id),
        "--tenant",
        str(world.caller.tenant_id),
    )
    assert code == 0, text
    file.write_text(text)
    _, listed = run("receipt", "key")
    key = listed.split()[0]
    code, text = run("receipt", "check", str(file), "--key", key, "--heads", str(heads))
    assert (code, text.split()[0]) == (0, "valid")
    code, text = run("receipt", "check", str(file), "--key", "00" * 32)
    assert (code, text.split()[0]) == (1, "INVALID")
    code, text = run("verify", "--chain", "--heads", str(heads))
    assert (code, text.split()[0]) == (0, "holds"), text
    await owner.execute("DELETE FROM chain_blocks")
    code, text = run("verify", "--chain", "--heads", str(heads))
    assert (code, text.split()[0]) == (1, "BROKEN")
    heads.write_text("")
    code, text = run("receipt", "check", str(file), "--key", key, "--heads", str(heads))
    assert (code, text.split()[0]) == (1, "INVALID")
