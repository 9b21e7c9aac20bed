"""No statement forgets the tenant: beside a double of it, under the same ids, a tenant reads the same, and the double is left alone."""

from __future__ import annotations

from typing import Any

import asyncpg

from gateway.storage.database import Database
from tests.clones import double_tenant, fingerprint
from tests.marked_world import Corner, open_corners
from tests.schema_walk import Walker
from tests.walk_arguments import MUTATIONS, QUERIES, to_input


async def read_everything(corner: Corner) -> dict[str, Any]:
    """Return what every query answers of what there is in a corner, word for word."""
    walker = Walker(corner.context, first=20, below=1, levels=3)
    answers = {}
    for name, arguments in QUERIES.items():
        for text in dict.fromkeys(arguments(corner)):
            result = await walker._execute("query", name, text, {})
            assert not result.errors, (name, text, result.errors)
            answers[name + text] = result.data
    return answers


async def test_tenant_reads_and_writes_only_its_own_rows(
    database: Database, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    a, _, _ = await open_corners(database)
    before = await read_everything(a)
    double_id = await double_tenant(owner, a.caller.tenant_id)
    after = await read_everything(a)
    assert {name: answer for name, answer in after.items() if answer != before[name]} == {}
    untouched = await fingerprint(owner, double_id)
    assert untouched["grants"][0] > 0
    walker = Walker(a.context, first=2, below=1, levels=3)
    for name in MUTATIONS:
        await walker.mutate(name, to_input(name, a))
    assert await fingerprint(owner, double_id) == untouched
