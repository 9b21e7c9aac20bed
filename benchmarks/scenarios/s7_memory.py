"""S7: the memory of one process after many requests, and whether it still grows."""

from __future__ import annotations

import time

import psutil

from benchmarks.gateway_side import serve_gateway
from benchmarks.load import run_load
from benchmarks.measures import Result, Series, Target
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.sides import Side, Work

MEGABYTE = 1_000_000
MEGABYTES_MAX = 150
# Between half of the requests and all of them.
GROWTH_MAX = 1.05
SLICE_SECONDS = 2


def measure_memory(plan: Plan, gateway: Side, report: Report) -> None:
    """Watch the resident memory of a new process while it answers grants, wallet pages and issuances.

    It takes as many requests as planned, or as many as the time allows; the result says how many.
    """
    samples: list[tuple[int, float]] = []
    answered = 0
    with serve_gateway(gateway.database, gateway.calls[Work.WALLET]) as (url, process_id):
        process = psutil.Process(process_id)
        samples.append((0, process.memory_info().rss / MEGABYTE))
        deadline = time.monotonic() + plan.memory_seconds_max
        while answered < plan.memory_requests and time.monotonic() < deadline:
            for work in (Work.GRANT, Work.WALLET, Work.ISSUE):
                load = run_load(
                    url,
                    gateway.calls[work],
                    seconds=SLICE_SECONDS,
                    connections=plan.connections,
                )
                answered += load.good
            samples.append((answered, process.memory_info().rss / MEGABYTE))
    report.raw["S7"] = samples
    half = min(samples, key=lambda sample: abs(sample[0] - answered / 2))[1]
    last = samples[-1][1]
    what = f"memory after {answered:,} requests"
    after = Series("after all", [last])
    report.add(
        Result("S7", what, "MB", after, None, Target("≤", MEGABYTES_MAX)),
        Result("S7", what, "MB", after, Series("after half", [half]), Target("≤", GROWTH_MAX)),
    )
    gateway.verify()
