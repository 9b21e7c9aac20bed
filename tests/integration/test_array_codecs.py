"""Arrays travel to PostgreSQL and back unchanged, and are refused where the driver's own codec would refuse them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from gateway.ids import new_id
from gateway.ledger.model import OwnerKind
from gateway.storage.array_codecs import CODECS
from gateway.storage.database import Database

NOON = datetime(2026, 11, 23, 12, 0, 0, 1, tzinfo=UTC)
VALUES: dict[str, list[Any]] = {
    "uuid[]": [UUID(int=0), UUID(int=2**128 - 1), new_id(), None],
    "int4[]": [0, -1, 2**31 - 1, -(2**31), None],
    "int8[]": [0, -1, 2**63 - 1, -(2**63), None],
    "text[]": ["", "NULL", "None", "{}", '"\\', "ä\n€\t😀", None, "x" * 70_000],
    "bytea[]": [b"", b"\x00\xff", bytes(32), None],
    "timestamptz[]": [
        NOON,
        datetime(1, 1, 2, tzinfo=UTC),
        datetime(1999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
        None,
    ],
}


@pytest.mark.parametrize("name", VALUES)
async def test_elements_come_back_as_they_were_sent(database: Database, name: str):
    first = VALUES[name][0]
    for values in (VALUES[name], [first], [first] * 3, [first, None, first], [None] * 2, []):
        ((returned, in_text, count),) = await database.fetch(
            f"SELECT $1::{name}, $1::{name}::text[], cardinality($1::{name})", values
        )
        assert returned == values
        assert count == len(values)
        # What the server reads, it can say on its own.
        ((read,),) = await database.fetch(f"SELECT $1::text[]::{name}", in_text)
        assert read == values


async def test_the_elements_are_those_that_the_drivers_own_codec_sends(
    database: Database, database_url: str
):
    plain = await asyncpg.connect(database_url)
    for name, values in VALUES.items():
        statement = f"SELECT array_send($1::{name})"
        for sent in (values, values[:1] * 3):
            assert await database.fetch(statement, sent) == await plain.fetch(statement, sent)
    await plain.close()


async def test_json_travels_as_text_and_returns_as_values(database: Database):
    sent = ['{"a": [1, null, "\\u20ac"]}', "null", None, '""']
    ((returned, kinds),) = await database.fetch(
        "SELECT $1::jsonb[], ARRAY(SELECT jsonb_typeof(value) FROM unnest($1::jsonb[]) AS value)",
        sent,
    )
    assert returned == [{"a": [1, None, "€"]}, None, None, ""]
    assert kinds == ["object", "null", None, "string"]
    ((alone,),) = await database.fetch("SELECT $1::jsonb", '{"b": 1.5}')
    assert alone == {"b": 1.5}


async def test_other_ways_to_say_the_same(database: Database):
    statement = "SELECT $1::text[], $2::timestamptz[], $3::uuid[]"
    zoned = NOON.astimezone(timezone(timedelta(hours=5)))
    ((kinds, times, ids),) = await database.fetch(
        statement, {OwnerKind.MEMBER: 1}.keys(), (zoned,), frozenset({UUID(int=7)})
    )
    assert (kinds, times, ids) == (["MEMBER"], [NOON], [UUID(int=7)])


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("int4[]", [2**31]),
        ("int8[]", [2**63]),
        ("int8[]", ["1"]),
        ("int8[]", [1.5]),
        ("uuid[]", [b"x" * 16]),
        ("uuid[]", "0" * 32),
        ("text[]", "text"),
        ("text[]", [1]),
        ("text[]", ["\ud800"]),
        ("bytea[]", b"bytes"),
        ("timestamptz[]", [datetime(2026, 11, 23)]),  # noqa: DTZ001 - that it is refused is the point
        ("timestamptz[]", ["2026-11-23"]),
    ],
)
async def test_what_is_no_element_is_refused(database: Database, name: str, values: Any):
    with pytest.raises(asyncpg.DataError):
        await database.fetch(f"SELECT $1::{name}", values)


async def test_arrays_of_several_dimensions_are_refused(database: Database):
    with pytest.raises(ValueError, match="2 dimensions"):
        await database.fetch("SELECT ARRAY[[1, 2], [3, 4]]")


async def test_the_numbers_are_the_catalogs(database: Database):
    rows = await database.fetch(
        "SELECT format_type(oid, NULL) AS name, oid::int, typelem::int FROM pg_type WHERE oid = ANY($1::int[]::oid[])",
        [codec.oid for codec in CODECS],
    )
    known = {
        "int4[]": "integer[]",
        "int8[]": "bigint[]",
        "timestamptz[]": "timestamp with time zone[]",
    }
    assert {tuple(row) for row in rows} == {
        (known.get(codec.name, codec.name), codec.oid, codec.element_oid) for codec in CODECS
    }
