"""What a run found: the table for a person and results.json for a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from benchmarks.measures import Result, shorten

RESULTS_PATH = Path(__file__).parent / "results.json"
HEADINGS = ("", "work", "unit", "this", "against", "", "ratio", "target", "")


@dataclass(slots=True)
class Report:
    """Results in the order measured; `failures` are scenarios that gave none, and why."""

    results: list[Result] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, *results: Result) -> None:
        """Keep results."""
        self.results.extend(results)

    def write(self, facts: Mapping[str, Any]) -> None:
        """Write results.json."""
        content = {
            **facts,
            "results": [result.to_json() for result in self.results],
            "failures": self.failures,
            "raw": self.raw,
        }
        options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_DATACLASS
        RESULTS_PATH.write_bytes(orjson.dumps(content, option=options) + b"\n")

    def lines(self) -> list[str]:
        """Return the table as Markdown, and the failures under it."""
        rows = [HEADINGS, *(_cells(result) for result in self.results)]
        widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
        table = [_line(row, widths) for row in rows]
        table.insert(1, _line(["-" * width for width in widths], widths))
        return table + [f"{name} FAILED: {why}" for name, why in self.failures.items()]


def _cells(result: Result) -> tuple[str, ...]:
    ratios = result.ratios
    ratio = f"{result.figure:.2f} ({min(ratios):.2f}–{max(ratios):.2f})" if ratios else "–"
    return (
        result.scenario,
        result.what,
        result.unit,
        str(result.side),
        result.other.name if result.other else "–",
        str(result.other) if result.other else "–",
        ratio,
        str(result.target) if result.target else "–",
        result.verdict,
    )


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def describe_sizes(sizes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the sizes of tables as Markdown."""
    rows = [
        (
            str(size["name"]),
            shorten(size["table_megabytes"]),
            shorten(size["index_megabytes"]),
        )
        for size in sizes
    ]
    rows.insert(0, ("per million grants", "table MB", "indexes MB"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    table = [_line(row, widths) for row in rows]
    table.insert(1, _line(["-" * width for width in widths], widths))
    return table
