"""S1: one grant a request, to members at random.

One process of the gateway against servers of one process, and two against PostgreSQL's own client, which has two threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from benchmarks.inspection_store import COUNT_GRANTS
from benchmarks.measures import Result, Series, Target
from benchmarks.pgbench_side import NAME as PGBENCH
from benchmarks.pgbench_side import PgbenchSide
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.sides import Side, Work
from benchmarks.sizes import fetch_sizes, sizes_per_million
from benchmarks.turns import alternate, load_grants, load_pgbench

TARGETS = {"hand-written": 1.0, "PostGraphile": 2.5}
TARGET_PGBENCH = 0.5


def measure_grants(
    plan: Plan,
    gateway: Side,
    doubled: Side,
    peers: Sequence[Side],
    pgbench: PgbenchSide,
    report: Report,
) -> None:
    """Compare grants a second, and note how much room they take; `doubled` is the gateway as two processes."""
    loads = {
        side.name: partial(load_grants, side, side.calls[Work.GRANT], connections=plan.connections)
        for side in (gateway, doubled, *peers)
    }
    loads[PGBENCH] = partial(load_pgbench, pgbench, connections=plan.connections)
    for load in loads.values():
        load(seconds=plan.warm_up_seconds)
    sizes, count = fetch_sizes(gateway.database), gateway.database.fetch_value(COUNT_GRANTS)
    measured = alternate(
        plan.turns,
        {name: partial(load, seconds=plan.grant_seconds) for name, load in loads.items()},
    )
    grown = gateway.database.fetch_value(COUNT_GRANTS) - count
    report.raw["sizes"] = sizes_per_million(sizes, fetch_sizes(gateway.database), grown)
    report.raw["S1"] = measured
    rates = {name: [load.rate for load in turns] for name, turns in measured.items()}
    work = f"grantReward, {plan.connections} connections"

    def compare(side: Side, other: str, target: float | None) -> Result:
        what = work if side is gateway else f"{work}, {side.name}"
        pair = Series(side.name, rates[side.name]), Series(other, rates[other])
        return Result("S1", what, "requests/s", *pair, Target("≥", target) if target else None)

    report.add(
        *(compare(gateway, name, target) for name, target in TARGETS.items()),
        compare(doubled, PGBENCH, TARGET_PGBENCH),
        compare(doubled, gateway.name, None),
    )
    gateway.verify()
    doubled.verify()
