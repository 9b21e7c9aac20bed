"""Figures and what they are held against: medians of turns, and ratios of turns that ran next to each other."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Series:
    """The figures of one side, one for each turn."""

    name: str
    values: Sequence[float]

    @property
    def median(self) -> float:
        """Return the middle figure."""
        return statistics.median(self.values)

    def __str__(self) -> str:
        spread = f"{shorten(min(self.values))}–{shorten(max(self.values))}"
        return (
            shorten(self.median) if len(self.values) == 1 else f"{shorten(self.median)} ({spread})"
        )


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure has to be: at least, or at most."""

    direction: Literal["≥", "≤"]
    value: float

    def is_met(self, figure: float) -> bool:
        """Tell whether a figure is on the right side."""
        return figure >= self.value if self.direction == "≥" else figure <= self.value

    def __str__(self) -> str:
        return f"{self.direction} {self.value:g}"


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the table: a side against another (a ratio), or a figure by itself."""

    scenario: str
    what: str
    unit: str
    side: Series
    other: Series | None
    target: Target | None

    @property
    def ratios(self) -> list[float]:
        """Return the ratio of each pair of turns that ran next to each other."""
        if self.other is None:
            return []
        return [mine / its for mine, its in zip(self.side.values, self.other.values, strict=True)]

    @property
    def figure(self) -> float:
        """Return what the target is about."""
        return statistics.median(self.ratios) if self.other else self.side.median

    @property
    def is_met(self) -> bool | None:
        """Tell whether the target is met; None if there is none."""
        return None if self.target is None else self.target.is_met(self.figure)

    @property
    def verdict(self) -> str:
        """Return the last cell of the table's line."""
        return {True: "met", False: "NOT MET", None: "–"}[self.is_met]

    def to_json(self) -> dict[str, Any]:
        """Return the line with its raw figures."""
        return {
            "scenario": self.scenario,
            "what": self.what,
            "unit": self.unit,
            "side": {**asdict(self.side), "median": self.side.median},
            "other": {**asdict(self.other), "median": self.other.median} if self.other else None,
            "ratios": [round(ratio, 4) for ratio in self.ratios],
            "figure": round(self.figure, 4),
            "target": str(self.target) if self.target else None,
            "met": self.is_met,
        }


def shorten(figure: float) -> str:
    """Return a figure with three digits that mean something."""
    if figure >= 100:  # noqa: PLR2004 - three digits before the point
        return f"{figure:,.0f}"
    return f"{figure:.3g}"
