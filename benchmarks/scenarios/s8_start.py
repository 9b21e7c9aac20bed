"""S8: from `gateway serve` to the first answer, on an embedded database that exists and is not running."""

from __future__ import annotations

import time
from dataclasses import replace

from benchmarks.databases import fresh_folder, served
from benchmarks.gateway_side import serve_gateway, wallet_probe
from benchmarks.measures import Result, Series, Target
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.world import open_world

SECONDS_MAX = 2.0
POLL_SECONDS = 0.01


def measure_start(plan: Plan, report: Report) -> None:
    """Start and stop the gateway several times, PostgreSQL with it."""
    small = replace(plan, members=100, wallets=10)
    with fresh_folder("start") as folder:
        with served(folder, migrated=True) as database:
            probe = wallet_probe(open_world(database, small))
        seconds = []
        for _ in range(plan.starts):
            started = time.perf_counter()
            with serve_gateway(database, probe, poll_seconds=POLL_SECONDS):
                seconds.append(time.perf_counter() - started)
    report.raw["S8"] = seconds
    report.add(
        Result(
            "S8",
            "gateway serve to first answer",
            "s",
            Series("gateway", seconds),
            None,
            Target("≤", SECONDS_MAX),
        )
    )
