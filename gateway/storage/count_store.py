"""How long lists are, counted up to a bound: counting goes through the rows of an index, however long it is."""

from __future__ import annotations

from typing import Final

# A list that is longer is said to have so many.
COUNTED_MAX: Final = 100_000


def count_up_to_max(source: str) -> str:
    """Return the SELECT that counts the rows of a table and its conditions, `COUNTED_MAX` at most."""
    return f"SELECT count(*) FROM (SELECT FROM {source} LIMIT {COUNTED_MAX}) AS counted"


def count_each_up_to_max(source: str, owners: str) -> str:
    """Return the SELECT that counts for each id of a parameter, `wanted.id` in the conditions, and returns both."""
    return f"SELECT wanted.id, ({count_up_to_max(source)}) FROM unnest({owners}::uuid[]) AS wanted (id)"
