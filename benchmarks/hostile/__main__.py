"""Measure every flood, print the table, and leave with 1 if a bound is not kept. About four minutes; loopback only."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks.failure import BenchmarkFailed
from benchmarks.hostile.arena import Arena, open_arena
from benchmarks.hostile.crowd import flooding
from benchmarks.hostile.measuring import measure_p99, watching_readiness
from benchmarks.hostile.scenarios import (
    SCENARIOS,
    Scenario,
    ask_for_assets,
    ask_for_voucher,
)
from benchmarks.measures import Result, Series, Target
from benchmarks.report import Report
from benchmarks.tables import describe

TURNS = 3
TURN_SECONDS = 3.0
WARM_UP_SECONDS = 1.0
SETTLE_SECONDS = 1.0
MEMORY_SECONDS = 5.0
RATIO_MAX = 3.0
MEMORY_RATIO_MAX = 1.5


def main() -> None:
    """Run the floods that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hostile", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="H1", help="only these")
    names = set(parser.parse_args().names)
    chosen = [scenario for scenario in SCENARIOS if not names or scenario.name in names]
    started, report = time.monotonic(), Report()
    try:
        with open_arena() as arena:
            _run(arena, chosen, report)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        print("\n".join(describe(report)))
    print(f"\n{time.monotonic() - started:.0f} seconds")
    if report.failures or any(result.is_met is False for result in report.results):
        sys.exit(1)


def _run(arena: Arena, chosen: list[Scenario], report: Report) -> None:
    for question in (ask_for_assets(arena), ask_for_voucher(arena)):
        measure_p99(arena.port, question, WARM_UP_SECONDS)
    before = arena.memory_megabytes()
    asked = failed = 0
    for scenario in chosen:
        with watching_readiness(arena.port) as readiness:
            try:
                report.add(_measure(arena, scenario))
            except BenchmarkFailed as fault:
                report.failures[scenario.name] = str(fault)
        asked, failed = asked + readiness.asked, failed + readiness.failed
    time.sleep(MEMORY_SECONDS)
    after = arena.memory_megabytes()
    report.add(
        Result(
            "ready",
            f"readiness checks that failed, of {asked}",
            "checks",
            Series("", [failed]),
            None,
            Target("≤", 0),
        ),
        Result(
            "memory",
            "of the gateway's process",
            "MB",
            Series("afterwards", [after]),
            Series("before", [before]),
            Target("≤", MEMORY_RATIO_MAX),
        ),
    )


def _measure(arena: Arena, scenario: Scenario) -> Result:
    """Measure alone and beside the flood, in turn.

    Raises:
        BenchmarkFailed: the quiet tenant was refused, or the crowd was answered otherwise than a flood is.
    """
    alone, beside = [], []
    for _ in range(TURNS):
        alone.append(measure_p99(arena.port, scenario.question(arena), TURN_SECONDS))
        with flooding(arena.port, scenario.crowd(arena)) as tally:
            beside.append(measure_p99(arena.port, scenario.question(arena), TURN_SECONDS))
        print(f"{scenario.name}: the crowd was answered {tally}", file=sys.stderr)
        if unexpected := tally.statuses.keys() - scenario.expected_statuses:
            raise BenchmarkFailed(f"The crowd was answered {sorted(unexpected)}.")
        time.sleep(SETTLE_SECONDS)
    return Result(
        scenario.name,
        scenario.what,
        "ms, p99",
        Series("beside", beside),
        Series("alone", alone),
        Target("≤", RATIO_MAX),
    )


if __name__ == "__main__":
    main()
