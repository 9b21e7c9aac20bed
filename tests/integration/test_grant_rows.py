"""The time of a listed grant, as PostgreSQL writes it: the same text as ours, and the same moment."""

from __future__ import annotations

from datetime import datetime

import pytest

from gateway.grants.list_store import PAGES
from gateway.grants.row import GrantColumns, GrantRow
from gateway.storage.database import Database
from resolvers.scalars import format_date_time

TIMES = [
    "2026-11-26T03:41:00+00:00",
    "2026-11-26T03:41:00.1+00:00",
    "2026-11-26T03:41:00.120+00:00",
    "2026-11-26T03:41:00.000001+00:00",
    "2026-11-26T23:59:59.999999-05:00",
    "1999-12-31T23:59:59.5+05:30",
    "9999-12-31T23:59:59.999998+00:00",
]


@pytest.mark.parametrize("text", TIMES)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
async def test_time_is_written_as_we_write_it(database: Database, text: str, zone: str) -> None:
    moment = datetime.fromisoformat(text)
    async with database.connection() as connection, connection.transaction():
        await connection.execute(f"SET LOCAL timezone = '{zone}'; SET LOCAL datestyle = 'SQL, DMY'")
        (row,) = await connection.fetch(
            "SELECT to_json(rewarded_at AT TIME ZONE 'UTC')::text AS rewarded_at "
            "FROM (VALUES ($1::timestamptz)) AS grants (rewarded_at)",
            moment,
            record_class=GrantRow,
        )
    assert row.rewarded_at_text == format_date_time(moment)
    assert format_date_time(row.rewarded_at_text) == format_date_time(moment)
    assert row.rewarded_at == moment


@pytest.mark.parametrize("columns", GrantColumns)
def test_lists_have_it_written_so(columns: GrantColumns) -> None:
    texts = [select.text for form, select in PAGES.items() if form.columns is columns]
    assert texts
    for text in texts:
        assert "to_json(rewarded_at AT TIME ZONE 'UTC')::text AS rewarded_at" in text
