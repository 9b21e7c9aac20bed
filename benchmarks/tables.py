"""What a run found, as Markdown tables for a person."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from benchmarks.load import Load
from benchmarks.measures import Result, shorten
from benchmarks.report import Report

TARGETS = ("", "work", "unit", "this", "against", "", "ratio", "target", "")
PROCESSOR_TIME = ("µs of processor time per answer", "side", "client", "server", "PostgreSQL")
SIZES = ("per million grants", "table MB", "indexes MB")


def describe(report: Report) -> list[str]:
    """Return every table, with the failures under the first."""
    lines = _table(TARGETS, [_result_cells(result) for result in report.results])
    lines += [f"{name} FAILED: {why}" for name, why in report.failures.items()]
    if spent := _processor_time(report):
        lines += ["", *_table(PROCESSOR_TIME, spent)]
    if sizes := report.raw.get("sizes"):
        cells = [
            (size["name"], shorten(size["table_megabytes"]), shorten(size["index_megabytes"]))
            for size in sizes
        ]
        lines += ["", *_table(SIZES, cells)]
    return lines


def _result_cells(result: Result) -> tuple[str, ...]:
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


def _processor_time(report: Report) -> list[tuple[str, ...]]:
    """Return the median of the turns of each scenario and side that measured it."""
    rows = []
    for scenario, sides in report.raw.items():
        if not isinstance(sides, dict):
            continue
        for side, turns in sides.items():
            if isinstance(turns, list) and isinstance(turns[0], Load) and turns[0].client_cpu:
                rows.append((scenario, side, *_medians(turns)))
    return rows


def _medians(turns: Sequence[Load]) -> tuple[str, ...]:
    return tuple(
        shorten(statistics.median(getattr(turn, name) for turn in turns))
        for name in ("client_cpu", "server_cpu", "database_cpu")
    )


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    every = [headings, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(headings))]
    lines = [_line(row, widths) for row in every]
    lines.insert(1, _line(["-" * width for width in widths], widths))
    return lines


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"
