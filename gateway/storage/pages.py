"""Keyset pages: which part of an ordered list is wanted, and what a statement's rows say about the rest.

A list of newest first by time-ordered id is bounded by two ids, both exclusive: `id < newer AND id > older`. Where a side
is open its bound is an id that no row has, so that one statement text, and one index range, serves every page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

Key = TypeVar("Key")
Item = TypeVar("Item")

ID_LOWEST = UUID(int=0)
ID_HIGHEST = UUID(int=2**128 - 1)


@dataclass(frozen=True, slots=True)
class PageRequest(Generic[Key]):
    """At most `limit` rows of a list, after one key and before another, from the start or from the end."""

    limit: int
    after: Key | None = None
    before: Key | None = None
    backwards: bool = False

    @property
    def fetch_limit(self) -> int:
        """Return how many rows to fetch: one more than wanted tells whether there are others."""
        return self.limit + 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """Rows in list order, and whether there are others on either side."""

    items: Sequence[Item]
    has_previous: bool
    has_next: bool


def cut_page(request: PageRequest[Any], rows: Sequence[Item]) -> Page[Item]:
    """Turn up to `fetch_limit` rows, in the direction of reading, into a page in list order.

    A bound's own row lies outside of the page, so there is always something beyond a bound.
    """
    has_more = len(rows) > request.limit
    items = rows[: request.limit]
    if request.backwards:
        return Page(items[::-1], has_more or request.after is not None, request.before is not None)
    return Page(items, request.after is not None, has_more or request.before is not None)


def id_bounds(request: PageRequest[UUID]) -> tuple[UUID, UUID]:
    """Return the two exclusive bounds `(newer, older)` of a list of newest first."""
    return request.after or ID_HIGHEST, request.before or ID_LOWEST
