"""Measure everything, print one table, and write results.json.

`python -m benchmarks.run [--quick] [S1 S3 …]`; without names, everything.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack

import asyncpg
import httpx

from benchmarks import pgbench_side
from benchmarks.failure import BenchmarkFailed
from benchmarks.gateway_side import open_gateway
from benchmarks.handwritten_side import open_handwritten
from benchmarks.machine import describe_run
from benchmarks.pgbench_side import PgbenchSide, open_pgbench
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.postgraphile_side import open_postgraphile
from benchmarks.report import Report
from benchmarks.scenarios.s1_grants import measure_grants
from benchmarks.scenarios.s2_wallets import measure_wallets
from benchmarks.scenarios.s3_distributions import measure_distributions
from benchmarks.scenarios.s4_issuances import measure_issuances
from benchmarks.scenarios.s5_growth import measure_growth
from benchmarks.scenarios.s6_hot_account import measure_hot_account
from benchmarks.scenarios.s7_memory import measure_memory
from benchmarks.scenarios.s8_start import measure_start
from benchmarks.sides import Side
from benchmarks.tables import describe
from gateway.storage.embedded_programs import EmbeddedServerFailed

SCENARIOS = ("S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8")
# These share one set of sides.
TOGETHER = {"S1", "S2", "S4", "S6", "S7"}
FAULTS = (
    BenchmarkFailed,
    EmbeddedServerFailed,
    asyncpg.PostgresError,
    httpx.HTTPError,
    OSError,
    subprocess.SubprocessError,
)


def main() -> None:
    """Run from the command line; the exit code is 1 if a scenario could not be measured."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="about 3 minutes instead of 15")
    parser.add_argument("scenarios", nargs="*", metavar="S1", help="only these; all if left out")
    arguments = parser.parse_args()
    chosen = set(arguments.scenarios) or set(SCENARIOS)
    if unknown := chosen - set(SCENARIOS):
        parser.error(f"there is no {', '.join(sorted(unknown))}")
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: make bench-setup")
    started = time.monotonic()
    report = Report()
    try:
        run(QUICK if arguments.quick else FULL, chosen, report)
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        print("\n".join(describe(report)))
    print(f"\n{time.monotonic() - started:.0f} seconds")
    if report.failures:
        sys.exit(1)


def run(plan: Plan, chosen: set[str], report: Report) -> None:
    """Measure what is chosen, and write results.json if that is everything."""
    facts = {}
    if chosen & TOGETHER:
        with ExitStack() as opened:
            gateway = opened.enter_context(open_gateway(plan))
            handwritten = opened.enter_context(open_handwritten(plan))
            postgraphile = opened.enter_context(open_postgraphile(plan))
            pgbench = opened.enter_context(open_pgbench(plan))
            peers = [handwritten, postgraphile]
            facts = describe_run(gateway.database, [gateway, *peers])
            attempts: dict[str, Callable[[], None]] = {
                "S1": lambda: _measure_grants(plan, gateway, peers, pgbench, report),
                "S2": lambda: measure_wallets(plan, gateway, peers, report),
                "S4": lambda: measure_issuances(plan, gateway, handwritten, report),
                "S6": lambda: measure_hot_account(plan, gateway, handwritten, report),
                "S7": lambda: measure_memory(plan, gateway, report),
            }
            _attempt(attempts, chosen, report)
    _attempt(
        {
            "S3": lambda: measure_distributions(plan, report),
            "S5": lambda: measure_growth(plan, report),
            "S8": lambda: measure_start(plan, report),
        },
        chosen,
        report,
    )
    if chosen == set(SCENARIOS):
        report.results.sort(key=lambda result: result.scenario)
        report.write({"quick": plan.is_quick, **facts})


def _measure_grants(
    plan: Plan, gateway: Side, peers: Sequence[Side], pgbench: PgbenchSide, report: Report
) -> None:
    with open_gateway(plan, workers=pgbench_side.THREADS) as doubled:
        measure_grants(plan, gateway, doubled, peers, pgbench, report)


def _attempt(attempts: dict[str, Callable[[], None]], chosen: set[str], report: Report) -> None:
    """Measure each chosen scenario; one that fails does not keep the others from being measured."""
    for name, measure in attempts.items():
        if name not in chosen:
            continue
        started = time.monotonic()
        try:
            measure()
        except FAULTS as fault:
            report.failures[name] = f"{type(fault).__name__}: {fault}"
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main()
