"""Turns in alternation, each from the same start and with its effects counted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import psutil

from benchmarks.databases import SideDatabase
from benchmarks.failure import BenchmarkFailed
from benchmarks.inspection_store import COUNT_GRANTS
from benchmarks.load import Call, Load, run_load
from benchmarks.pgbench_side import PgbenchSide
from benchmarks.processor_time import processor_time
from benchmarks.sides import Side

Figure = TypeVar("Figure")
# What was under way when the load stopped is finished by then.
SETTLE_SECONDS = 0.3


def alternate(turns: int, measures: Mapping[str, Callable[[], Figure]]) -> dict[str, list[Figure]]:
    """Measure each side once, then each once more, and so on: A B A B."""
    figures: dict[str, list[Figure]] = {name: [] for name in measures}
    for _ in range(turns):
        for name, measure in measures.items():
            figures[name].append(measure())
    return figures


def warm_up_and_alternate(
    loads: Mapping[str, Callable[..., Load]], *, warm_up_seconds: int, turns: int, seconds: int
) -> dict[str, list[Load]]:
    """Load each side once for nothing, and then in turns."""
    for load in loads.values():
        load(seconds=warm_up_seconds)
    return alternate(turns, {name: partial(load, seconds=seconds) for name, load in loads.items()})


def load_side(side: Side, call: Call, *, seconds: int, connections: int) -> Load:
    """Load a server that only reads, or whose effects are not grants."""
    side.database.settle()
    server = psutil.Process(side.process_id)
    with (
        processor_time() as client,
        processor_time(server) as gateway,
        processor_time(side.database.process()) as database,
    ):
        load = run_load(side.url, call, seconds=seconds, connections=connections)
    return replace(
        load,
        client_cpu=client.microseconds / load.good,
        server_cpu=gateway.microseconds / load.good,
        database_cpu=database.microseconds / load.good,
    )


def load_grants(
    side: Side, call: Call, *, seconds: int, connections: int, grants_per_answer: int = 1
) -> Load:
    """Load a server with grants and compare what it answered with what its database holds."""
    before = _count_grants(side.database)
    load = load_side(side, call, seconds=seconds, connections=connections)
    time.sleep(SETTLE_SECONDS)
    written = _count_grants(side.database) - before
    _compare(side.name, written, load.good * grants_per_answer, connections * grants_per_answer)
    return load


def load_pgbench(side: PgbenchSide, *, seconds: int, connections: int) -> Load:
    """Load PostgreSQL itself with grants, and compare likewise."""
    side.database.settle()
    before = _count_grants(side.database)
    with processor_time() as client, processor_time(side.database.process()) as database:
        load = side.run_load(seconds=seconds, connections=connections)
    load = replace(
        load,
        client_cpu=client.microseconds / load.good,
        database_cpu=database.microseconds / load.good,
    )
    _compare("pgbench", _count_grants(side.database) - before, load.good, 0)
    return load


def _count_grants(database: SideDatabase) -> int:
    count: int = database.fetch_value(COUNT_GRANTS)
    return count


def _compare(name: str, written: int, answered: int, under_way_max: int) -> None:
    """Refuse a turn whose answers are not what happened; the last ones may not have been waited for."""
    if not answered <= written <= answered + under_way_max:
        raise BenchmarkFailed(f"{name} answered for {answered} grants and wrote {written}")
