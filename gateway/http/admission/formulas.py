"""What an operation costs at most, as a formula of its variables: written once for a document, worked out for each request.

Only variables that say how long a page or a list is are in it. What `@skip` and `@include` leave out counts, and so does every
member of a union: it is the most that the operation can cost, whatever it finds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

# From variables, as the client sent them, to how many times something is done.
Size: TypeAlias = Callable[[Mapping[str, Any]], int]


class Formula:
    """A constant, and parts that each count so many times as their size says."""

    __slots__ = ("constant", "parts")

    def __init__(self, constant: int = 0, parts: Sequence[tuple[Size, Formula]] = ()) -> None:
        """Keep both."""
        self.constant = constant
        self.parts = tuple(parts)

    def __add__(self, other: Formula) -> Formula:
        """Return the formula of both together."""
        return Formula(self.constant + other.constant, self.parts + other.parts)

    def times(self, size: int | Size) -> Formula:
        """Return the formula of this, done so many times."""
        if callable(size):
            return Formula(parts=[(size, self)])
        return Formula(
            self.constant * size, [(part_size, part.times(size)) for part_size, part in self.parts]
        )

    def compacted(self) -> Formula:
        """Return the same formula with one part for each size."""
        parts: dict[Size, Formula] = {}
        for size, part in self.parts:
            parts[size] = parts.get(size, Formula()) + part
        return Formula(self.constant, [(size, part.compacted()) for size, part in parts.items()])

    def work_out(self, variables: Mapping[str, Any]) -> int:
        """Return the cost with these variables."""
        cost = self.constant
        for size, part in self.parts:
            cost += size(variables) * part.work_out(variables)
        return cost
