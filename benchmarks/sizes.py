"""How much room grants take."""

from __future__ import annotations

from typing import Any

from benchmarks.databases import OwnerConnection, SideDatabase
from benchmarks.inspection_store import TABLE_SIZES

MILLION = 1_000_000
MEGABYTE = 1_000_000


def fetch_sizes(database: SideDatabase) -> dict[str, tuple[int, int]]:
    """Return the bytes of each table and of its indexes, by table."""

    async def work(connection: OwnerConnection) -> dict[str, tuple[int, int]]:
        rows = await connection.fetch(TABLE_SIZES)
        return {row["name"]: (row["table_bytes"], row["index_bytes"]) for row in rows}

    return database.run(work)


def sizes_per_million(
    before: dict[str, tuple[int, int]], after: dict[str, tuple[int, int]], grown: int
) -> list[dict[str, Any]]:
    """Return by how many megabytes each table grew for a million grants, those that grew."""
    factor = MILLION / MEGABYTE / grown
    sizes = [
        {
            "name": name,
            "table_megabytes": round((table - before[name][0]) * factor, 1),
            "index_megabytes": round((index - before[name][1]) * factor, 1),
        }
        for name, (table, index) in after.items()
    ]
    return [size for size in sizes if size["table_megabytes"] or size["index_megabytes"]]
