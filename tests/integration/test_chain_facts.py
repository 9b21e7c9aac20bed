"""Every column of what the chain covers is in a fact, or is left out for a reason that stands here."""

from __future__ import annotations

import re
from pathlib import Path

import asyncpg
import pytest

from gateway.chain import fact_store
from gateway.chain.fact_store import fetch_facts_of_grants
from gateway.chain.merkle import hash_leaf
from gateway.storage.database import Database
from tests.world import live_a_little, open_world

ROOT = Path(__file__).parents[2]
TEXTS = {
    "operations": fact_store.OPERATION,
    "ledger_transactions": fact_store.TRANSACTION,
    "ledger_entries": fact_store._ENTRY + " transaction_id tenant_id",
    "grants": fact_store.GRANT + fact_store.CLAIM + fact_store.END + fact_store.REVERSAL,
}
LEFT_OUT = {
    "operations": set[str](),
    "ledger_transactions": set[str](),
    # Follows from the others; `gateway verify` makes it again.
    "ledger_entries": {"chain_hash"},
    # Where the grant stands in the chain, which moves on when it changes.
    "grants": {"written_in"},
}


@pytest.mark.parametrize("table", TEXTS)
async def test_every_column_is_in_a_fact(owner: asyncpg.Connection[asyncpg.Record], table: str):
    """A new column says who got what, or it does not: put it into the fact, with a new form, or leave it out here."""
    columns = await owner.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped",
        table,
    )
    named = set(re.findall(r"\w+", TEXTS[table]))
    assert {name for (name,) in columns} - named == LEFT_OUT[table]


def test_every_change_of_a_grant_moves_it_on():
    """A statement that changes a grant and leaves its place would look like an edit behind the gateway's back."""
    statements = [
        statement
        for path in (ROOT / "gateway").rglob("*store.py")
        for statement in re.findall(r"UPDATE grants SET.*?\"\"\"", path.read_text(), re.DOTALL)
    ]
    assert len(statements) >= 5
    assert [text for text in statements if "{WRITTEN_NOW}" not in text] == []


async def test_texts_have_the_hashes_that_the_database_makes(
    database: Database, owner: asyncpg.Connection[asyncpg.Record]
):
    """What a receipt shows is what was hashed, in whatever zone and style of dates the session is."""
    world = await open_world(database, codes=["first", "second"])
    await live_a_little(world)
    ids = [row["id"] for row in await owner.fetch("SELECT id FROM grants")]
    async with database.connection() as connection:
        facts = await fetch_facts_of_grants(connection, world.caller.tenant_id, ids)
    assert len(facts) > len(ids)
    for fact, content in facts.values():
        assert hash_leaf(content.encode()) == fact.hash
    await owner.execute(
        "SET timezone = 'Asia/Tokyo'; SET datestyle = 'German'; SET intervalstyle = 'iso_8601'"
    )
    again = await fetch_facts_of_grants(owner, world.caller.tenant_id, ids)  # type: ignore[arg-type]
    assert again == facts
