"""SELECTs that are sent together: each gets its own rows, in its own order."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from gateway.ids import new_id
from gateway.storage.database import Database
from gateway.storage.union_store import (
    Question,
    Rows,
    Select,
    ask,
    ask_together,
    may_join,
    write_union,
)
from tests.wallets import logged_statements

TENANT = new_id()


class Named(asyncpg.Record):
    """Rows that are looked up by name."""

    __slots__ = ()


COUNTED = Select(
    "SELECT n, n * $2::int AS id FROM generate_series(1, $3::int) AS n WHERE $1::uuid IS NOT NULL ORDER BY n DESC",
    {"n": "int", "id": "int"},
)
NAMED = Select(
    "SELECT $1::uuid AS id, word FROM unnest($2::text[]) AS word ORDER BY word LIMIT $3",
    {"id": "uuid", "word": "text"},
    Named,
)
# As many parameters as make two digits.
MANY = Select(
    f"SELECT {' || '.join(f'${number}::text' for number in range(2, 13))} AS joined WHERE $1::uuid IS NOT NULL",
    {"joined": "text"},
)


def pairs(rows: Rows) -> list[tuple[int, ...]]:
    return [tuple(row) for row in rows]


def words(rows: Rows) -> list[str]:
    assert all(row["id"] == TENANT for row in rows)
    return [row["word"] for row in rows]


COUNTING = Question(COUNTED, (TENANT, 10, 3), pairs)
NAMING = Question(NAMED, (TENANT, ["b", "c", "a"], 2), words)
JOINING = Question(MANY, (TENANT, *map(str, range(11))), lambda rows: rows[0][0])


async def test_each_question_gets_its_rows(database: Database) -> None:
    async with database.connection() as connection:
        alone = [await ask(connection, question) for question in (COUNTING, NAMING, JOINING)]
        assert alone == [[(3, 30), (2, 20), (1, 10)], ["a", "b"], "012345678910"]
        assert await ask_together(connection, [NAMING]) == [alone[1]]
    with logged_statements(database) as statements:
        async with database.connection() as connection:
            together = await ask_together(connection, [JOINING, COUNTING, NAMING, COUNTING])
    assert together == [alone[2], alone[0], alone[1], alone[0]]
    assert len(statements) == 1


async def test_question_without_rows_is_answered_with_none(database: Database) -> None:
    nothing = Question(COUNTED, (TENANT, 1, 0), pairs)
    async with database.connection() as connection:
        assert await ask_together(connection, [nothing, NAMING]) == [[], ["a", "b"]]


async def test_rows_may_come_in_any_order() -> None:
    """SQL promises none for a union as a whole."""

    class Mixed:
        async def fetch(self, *_: object, **__: object) -> list[list[object]]:
            numbers = [(3, 30), (2, 20)]
            names = [Word("a"), Word("b")]
            return [
                [0, *numbers[0], None, None],
                names[0],
                [0, *numbers[1], None, None],
                names[1],
            ]

    class Word(list[object]):
        def __init__(self, word: str) -> None:
            super().__init__([1, None, None, TENANT, word])

        def __getitem__(self, key: Any) -> Any:
            return super().__getitem__({"id": 3, "word": 4}.get(key, key))

    connection: Any = Mixed()
    assert await ask_together(connection, [COUNTING, NAMING]) == [[(3, 30), (2, 20)], ["a", "b"]]


@pytest.mark.parametrize(
    ("questions", "may"),
    [([COUNTING, JOINING], True), ([COUNTING, NAMING], True), ([NAMING, COUNTING, NAMING], False)],
)
def test_rows_come_as_one_class(questions: list[Question[object]], may: bool) -> None:
    assert may_join(questions) is may


def test_text_is_written_once() -> None:
    assert write_union((COUNTED, NAMED)) is write_union((COUNTED, NAMED))
