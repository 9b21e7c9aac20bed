"""A time in a long history is found in few look-ups: no statement walks, scans or sorts the entries before or after it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from gateway.ledger import balance_store, statement_store
from gateway.ledger.asset_scope_store import AssetScope
from gateway.ledger.model import Account, OwnerKind
from gateway.storage.database import Database
from gateway.storage.pages import ID_HIGHEST, ID_LOWEST
from tests.ledger_history import at, write_history
from tests.wallets import open_wallets

pytestmark = pytest.mark.requirement("ALL-3")
LIMIT = 21
ENTRY_COUNT = 20_000
LOOKS_MAX = ENTRY_COUNT.bit_length() + 1
# Three pages of the index and one of the table for each look-up, and what the other tables take; reading all would take 700.
BLOCKS_MAX = 100
POSITIONS = {
    "before all": 0,
    "first": 1,
    "early": 100,
    "middle": 10_000,
    "last": 20_000,
    "after all": 99_999,
}
NEWEST = (at(2**33), ID_HIGHEST, 2**60)
OLDEST = (at(-(2**33)), ID_LOWEST, 0)
# Of a partner, whose statements also look up whose the assets are.
SCOPE = AssetScope((ID_LOWEST,), ID_LOWEST)


@dataclass(frozen=True, slots=True)
class Work:
    """What a statement did to answer: rows of entries looked at, pages of 8 kB read, rows returned."""

    entries: int
    blocks: int
    rows: int


@dataclass(frozen=True, slots=True)
class LongAccount:
    """An account of 20,000 entries, number n of second n, whose member has no other."""

    database: Database
    tenant_id: UUID
    member_id: UUID
    id: UUID

    async def measure(self, statement: str, *arguments: object) -> Work:
        """Run a statement and return what it took."""
        (row,) = await self.database.fetch(
            f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", self.tenant_id, *arguments
        )
        (explained,) = json.loads(row[0])
        plan = explained["Plan"]
        blocks = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
        return Work(round(_entries_read(plan)), blocks, round(plan["Actual Rows"]))


def _entries_read(node: dict[str, Any]) -> float:
    read = 0.0
    if node.get("Relation Name") == "ledger_entries":
        removed = (f"Rows Removed by {what}" for what in ("Filter", "Index Recheck"))
        kept = node["Actual Rows"] + sum(node.get(name, 0) for name in removed)
        read = kept * node["Actual Loops"]
    return read + sum(map(_entries_read, node.get("Plans", [])))


@pytest.fixture
async def account(database: Database) -> LongAccount:
    wallets = await open_wallets(database)
    tenant_id = wallets.caller.tenant_id
    (member_id,) = await wallets.add_members()
    owner = Account(wallets.caller.standard_assets.points_id, OwnerKind.MEMBER, member_id)
    numbers = range(1, ENTRY_COUNT + 1)
    await write_history(database, tenant_id, owner, numbers, [1] * ENTRY_COUNT)
    return LongAccount(database, tenant_id, member_id, owner.id)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("position", POSITIONS)
async def test_page_reads_itself_and_the_way_to_it(
    account: LongAccount, position: str, backwards: bool
) -> None:
    second = POSITIONS[position]
    place = (at(second), account.id, second)
    newer, older = (NEWEST, place) if backwards else (place, OLDEST)
    rows = max(0, ENTRY_COUNT - second if backwards else min(second - 1, ENTRY_COUNT))
    named = ([account.member_id], [account.id])
    by_time = (newer[0], newer[2], older[0], older[2])
    for work in (
        await account.measure(
            statement_store.ALL_ASSETS[backwards],
            [account.member_id],
            *newer,
            *older,
            LIMIT,
            *SCOPE,
        ),
        await account.measure(
            statement_store.ONE_ASSET_BY_TIME[backwards], *named, *by_time, LIMIT
        ),
    ):
        assert work.rows == min(LIMIT, rows)
        assert work.entries <= LIMIT + LOOKS_MAX, work
        assert work.blocks <= BLOCKS_MAX, work


@pytest.mark.parametrize("position", POSITIONS)
async def test_past_balance_and_count_read_the_way_to_a_time(
    account: LongAccount, position: str
) -> None:
    second = POSITIONS[position]
    members = [account.member_id]
    past = await account.measure(
        balance_store.BALANCES_AS_OF.text, members, "MEMBER", *SCOPE, at(second)
    )
    assert past.rows == (1 if second else 0)
    assert past.entries <= LOOKS_MAX + 1, past
    assert past.blocks <= BLOCKS_MAX, past

    counted = await account.measure(
        statement_store.COUNT_BY_TIME, members, None, *SCOPE, at(50), at(second)
    )
    assert counted.entries <= 2 * LOOKS_MAX, counted
    assert counted.blocks <= 2 * BLOCKS_MAX, counted


@pytest.mark.parametrize("backwards", [False, True])
async def test_open_end_of_a_statement_is_found_in_one_look(
    account: LongAccount, backwards: bool
) -> None:
    statement = statement_store.ALL_ASSETS[backwards]
    work = await account.measure(statement, [account.member_id], *NEWEST, *OLDEST, LIMIT, *SCOPE)
    assert (work.rows, work.entries) == (LIMIT, LIMIT + 1)


@pytest.mark.parametrize("of_one_asset", [False, True])
async def test_page_deep_in_a_statement_reads_as_little_as_one_near_its_beginning(
    account: LongAccount, of_one_asset: bool
) -> None:
    found = []
    for number in (ENTRY_COUNT, 100):
        if of_one_asset:
            place: list[object] = [[account.member_id], [account.id], number, 0]
        else:
            place = [[account.member_id], at(number), account.id, number, *OLDEST]
        statements = statement_store.ONE_ASSET if of_one_asset else statement_store.ALL_ASSETS
        scope = () if of_one_asset else SCOPE
        found.append(await account.measure(statements[False], *place, LIMIT, *scope))
    first, deep = found
    assert first.rows == deep.rows == LIMIT
    assert deep.entries <= first.entries + 1, found
    assert deep.blocks <= first.blocks * 1.2, found
