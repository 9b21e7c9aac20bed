"""A check's words: what it is called, what it means, and what it found."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.storage.database import Connection

ROWS_MAX = 20

Row = Mapping[str, Any]
# Reads offending rows, of one tenant or (None) of all, at most as many as asked for.
Find = Callable[[Connection, UUID | None, int], Awaitable[Sequence[Row]]]


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant; `meaning` says what holds while nothing is found."""

    name: str
    meaning: str
    find: Find


@dataclass(frozen=True, slots=True)
class Finding:
    """A broken invariant: the rows that show it, at most 20, as JSON values; `has_more` if there are others."""

    check: str
    meaning: str
    rows: Sequence[Row]
    has_more: bool


def to_finding(check: Check, rows: Sequence[Row]) -> Finding:
    """Return what a check found, cut to a readable length."""
    shown = [{name: _to_plain(value) for name, value in row.items()} for row in rows[:ROWS_MAX]]
    return Finding(check.name, check.meaning, shown, has_more=len(rows) > ROWS_MAX)


def _to_plain(value: object) -> object:
    """Return a value that JSON can hold; ids, times and exact numbers as text."""
    if value is None or isinstance(value, bool | int | str):
        return value
    return value.hex() if isinstance(value, bytes) else str(value)
