"""SELECTs that are sent together: one round trip and one plan, each with its own rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from operator import itemgetter
from typing import Any, Generic, NamedTuple, TypeAlias, TypeVar

import asyncpg

from gateway.storage.connection import Connection
from gateway.storage.parameters import count_parameters, shift_parameters

Result = TypeVar("Result")
Answer = TypeVar("Answer", covariant=True)  # noqa: PLC0105 - see CONTRIBUTING.md: names in full words

# Sequences of columns, or records of the class that the SELECT names.
Rows: TypeAlias = Sequence[Any]

# Texts that were put together, each of which every connection prepares once.
UNIONS_MAX = 200
_NUMBER = itemgetter(0)


@dataclass(frozen=True, eq=False)
class Select:
    """A SELECT that may be sent with others: its text, and its columns by name with their types.

    Its first parameter is the tenant. Its rows come as sequences, or as a class of the driver's records which looks them up by
    name.
    """

    text: str
    columns: Mapping[str, str]
    row_class: type[asyncpg.Record] | None = None

    @cached_property
    def parameters(self) -> int:
        """Count the parameters."""
        return count_parameters(self.text)


class Question(NamedTuple, Generic[Answer]):
    """A SELECT, its parameters beginning with the tenant, and what its rows are turned into."""

    select: Select
    parameters: Sequence[Any]
    take: Callable[[Rows], Answer]


async def ask(connection: Connection, question: Question[Result]) -> Result:
    """Return the answer to a question; one round trip."""
    select = question.select
    return question.take(
        await connection.fetch(select.text, *question.parameters, record_class=select.row_class)
    )


async def ask_together(connection: Connection, questions: Sequence[Question[Any]]) -> list[Any]:
    """Return the answers to questions of one tenant, in their order; one round trip.

    At most one of them has a class for its rows.
    """
    if len(questions) == 1:
        return [await ask(connection, questions[0])]
    selects = tuple(question.select for question in questions)
    tenant_id, *parameters = questions[0].parameters
    for question in questions[1:]:
        assert question.parameters[0] == tenant_id  # noqa: S101 - a request has one tenant
        parameters += question.parameters[1:]
    row_class = next((select.row_class for select in selects if select.row_class), None)
    rows = await connection.fetch(
        write_union(selects), tenant_id, *parameters, record_class=row_class
    )
    numbers = list(map(_NUMBER, rows))
    if numbers != sorted(numbers):
        # PostgreSQL appends one part to the other, which SQL does not promise.
        rows.sort(key=_NUMBER)
    answers = []
    row, column = 0, 1
    for number, (select, _, take) in enumerate(questions):
        part = rows[row : (row := row + numbers.count(number))]
        end = column + len(select.columns)
        answers.append(take(part if select.row_class else [found[column:end] for found in part]))
        column = end
    return answers


def may_join(questions: Iterable[Question[Any]]) -> bool:
    """Tell whether questions can be asked together: rows come as one class only."""
    return sum(question.select.row_class is not None for question in questions) <= 1


@lru_cache(maxsize=UNIONS_MAX)
def write_union(selects: tuple[Select, ...]) -> str:
    """Return one statement for several SELECTs: the number of the part, then the columns of each, null in the rows of the others.

    Parameters: $1 is the tenant for all, then those of each in turn. The rows of a part keep their order among themselves, as
    PostgreSQL appends one to the other.
    """
    shift = 0
    parts = []
    for number, select in enumerate(selects):
        text = shift_parameters(select.text, shift)
        shift += select.parameters - 1
        columns = ", ".join(
            f"{name if number == other else f'NULL::{kind}'} AS {name}"
            for other, part in enumerate(selects)
            for name, kind in _names(other, part)
        )
        names = ", ".join(name for name, _ in _names(number, select))
        parts.append(f"SELECT {number} AS part, {columns} FROM ({text}) AS part_{number} ({names})")
    return "\nUNION ALL\n".join(parts)


def _names(number: int, select: Select) -> list[tuple[str, str]]:
    """Return a part's columns in the union: under their own names if they are looked up by those, else under names of the union's."""
    return [
        (name if select.row_class else f"part_{number}_{name}", kind)
        for name, kind in select.columns.items()
    ]
