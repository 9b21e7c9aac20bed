"""Members are found by primary key, however many the tenant has and whatever the planner knows about them."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from gateway.ids import new_id
from gateway.members.store import find_statement

SIZES = (100, 1_000, 10_000, 100_000)
LOOKED_UP = 50
TENANT_ID = new_id()

# The tables and indexes as they are, without foreign keys: tens of thousands of rows are there in no time.
TABLES = """
CREATE SCHEMA measured;
SET search_path = measured;
CREATE TABLE members (LIKE public.members INCLUDING ALL);
CREATE TABLE member_identifiers (LIKE public.member_identifiers INCLUDING ALL);
SET plan_cache_mode = force_generic_plan;
"""
FILL = """
WITH numbered AS (SELECT n, gen_random_uuid() AS id FROM generate_series($2::int + 1, $3::int) AS n), new_members AS (
    INSERT INTO members (tenant_id, id, created_at, organization_id) SELECT $1, id, now(), id FROM numbered
)
INSERT INTO member_identifiers (tenant_id, kind, value, member_id, created_at)
SELECT $1, kind, 'value-' || n, id, now() FROM numbered CROSS JOIN unnest(ARRAY['EMAIL', 'EXTERNAL_ID']) AS kind
"""
STATEMENTS = {
    "by one kind of identifier": find_statement(1, by_id=False),
    "by several kinds of identifier": find_statement(3, by_id=False),
    "by id": find_statement(0, by_id=True),
    "by id and identifier": find_statement(2, by_id=True),
}


@pytest.fixture
async def owner(
    pristine_database_url: str,
) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    connection = await asyncpg.connect(pristine_database_url)
    await connection.execute(TABLES)
    yield connection
    await connection.close()


async def explain(owner: asyncpg.Connection[asyncpg.Record], statement: str) -> str:
    """Return the plan that a connection keeps for the statement, made from what the planner knows now."""
    count = max(map(int, re.findall(r"\$(\d+)", statement)))
    await owner.execute(f"PREPARE explained AS {statement}")
    rows = await owner.fetch(f"EXPLAIN EXECUTE explained ({', '.join(['NULL'] * count)})")
    await owner.execute("DEALLOCATE explained")
    return "\n".join(row[0] for row in rows)


async def expect_primary_keys(
    owner: asyncpg.Connection[asyncpg.Record], statement: str, circumstances: str
) -> None:
    plan = await explain(owner, statement)
    assert "Seq Scan" not in plan, f"{circumstances}\n{plan}"
    # Of a row's key, every column narrows the search.
    conditions = re.findall(r"Index Cond: .*", plan)
    assert len(conditions) == statement.count("SELECT"), plan
    assert all("tenant_id = $1" in condition and "ANY" in condition for condition in conditions), (
        plan
    )


@pytest.mark.requirement("ALL-3")
@pytest.mark.parametrize("name", STATEMENTS)
async def test_plan_is_by_primary_key_at_every_size(
    owner: asyncpg.Connection[asyncpg.Record], name: str
) -> None:
    statement = STATEMENTS[name]
    await expect_primary_keys(owner, statement, "new and empty")
    known = 0
    for size in SIZES:
        await owner.execute(FILL, TENANT_ID, known, size)
        if known:
            await expect_primary_keys(owner, statement, f"{size:,}, of which {known:,} are known")
        await owner.execute("ANALYZE members, member_identifiers")
        await expect_primary_keys(owner, statement, f"{size:,}, all of them known")
        known = size


@pytest.mark.requirement("ALL-3")
async def test_each_look_up_reads_four_pages_at_most(
    owner: asyncpg.Connection[asyncpg.Record],
) -> None:
    known = 0
    blocks = []
    for size in (1_000, 100_000):
        await owner.execute(FILL, TENANT_ID, known, size)
        await owner.execute("VACUUM ANALYZE members, member_identifiers")
        known = size
        step = size // LOOKED_UP
        values = [f"value-{number}" for number in range(1, size, step)]
        ids: list[UUID] = [
            row["member_id"]
            for row in await owner.fetch(
                "SELECT member_id FROM member_identifiers WHERE tenant_id = $1 AND kind = 'EMAIL' AND value = ANY($2)",
                TENANT_ID,
                values,
            )
        ]
        assert len(ids) == LOOKED_UP
        blocks.append(await _count_blocks(owner, ids, values))
    # Three levels of the index and the row, each on a page of its own: of 100,000 members, thousands of pages are not read.
    assert max(blocks) <= 2 * LOOKED_UP * 4, blocks


async def _count_blocks(
    owner: asyncpg.Connection[asyncpg.Record], ids: list[UUID], values: list[str]
) -> int:
    statement = find_statement(1, by_id=True)
    (row,) = await owner.fetch(
        f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", TENANT_ID, ids, "EMAIL", values
    )
    plan = json.loads(row[0])[0]["Plan"]
    assert plan["Actual Rows"] == 2 * LOOKED_UP
    blocks: int = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
    return blocks
