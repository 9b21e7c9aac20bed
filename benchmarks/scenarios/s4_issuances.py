"""S4: five rewards a request, paid for with points."""

from __future__ import annotations

from functools import partial

from benchmarks.measures import Result, Series, Target
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.sides import Side, Work
from benchmarks.turns import load_grants, warm_up_and_alternate

REWARDS = 5
SHARE_MIN = 0.8


def measure_issuances(plan: Plan, gateway: Side, handwritten: Side, report: Report) -> None:
    """Compare issuances a second."""
    loads = {
        side.name: partial(
            load_grants,
            side,
            side.calls[Work.ISSUE],
            connections=plan.connections,
            grants_per_answer=REWARDS,
        )
        for side in (gateway, handwritten)
    }
    measured = warm_up_and_alternate(
        loads, warm_up_seconds=plan.warm_up_seconds, turns=plan.turns, seconds=plan.issue_seconds
    )
    report.raw["S4"] = measured
    rates = {name: [load.rate for load in turns] for name, turns in measured.items()}
    report.add(
        Result(
            "S4",
            f"issueRewards, {REWARDS} for points",
            "requests/s",
            Series(gateway.name, rates[gateway.name]),
            Series(handwritten.name, rates[handwritten.name]),
            Target("≥", SHARE_MIN),
        )
    )
    gateway.verify()
