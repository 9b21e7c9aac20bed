"""S6: all grants to one member, whose balance they queue for, against grants to members at random."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from benchmarks.measures import Result, Series, Target
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.sides import Side, Work
from benchmarks.turns import alternate, load_grants

SHARE_MIN = 0.7


def measure_hot_account(plan: Plan, gateway: Side, handwritten: Side, report: Report) -> None:
    """Compare grants a second to one account with grants to many; the hand-written endpoint's ratio has no target."""
    for side in (gateway, handwritten):
        spread = side.calls[Work.GRANT]
        hot = replace(spread, values=spread.values[-1:])
        load = partial(load_grants, side, seconds=plan.hot_seconds, connections=plan.connections)
        measured = alternate(
            plan.turns, {"hot": partial(load, hot), "spread": partial(load, spread)}
        )
        report.raw[f"S6 {side.name}"] = measured
        is_gateway = side is gateway
        report.add(
            Result(
                "S6",
                "grantReward to one account" + ("" if is_gateway else f", {side.name}"),
                "requests/s",
                Series("one account", [turn.rate for turn in measured["hot"]]),
                Series("spread", [turn.rate for turn in measured["spread"]]),
                Target("≥", SHARE_MIN) if is_gateway else None,
            )
        )
    gateway.verify()
