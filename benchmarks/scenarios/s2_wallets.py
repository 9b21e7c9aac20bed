"""S2: the page of a member's own frontend: balances, the newest 20 grants with their rewards, and whether there are more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from benchmarks.measures import Result, Series, Target
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.sides import Side, Work
from benchmarks.turns import load_side, warm_up_and_alternate

TARGETS = {"PostGraphile": 1.5, "hand-written": 0.5}


def measure_wallets(plan: Plan, gateway: Side, peers: Sequence[Side], report: Report) -> None:
    """Compare wallet pages a second."""
    loads = {
        side.name: partial(load_side, side, side.calls[Work.WALLET], connections=plan.connections)
        for side in (gateway, *peers)
    }
    measured = warm_up_and_alternate(
        loads, warm_up_seconds=plan.warm_up_seconds, turns=plan.turns, seconds=plan.wallet_seconds
    )
    report.raw["S2"] = measured
    rates = {name: [load.rate for load in turns] for name, turns in measured.items()}
    report.add(
        *(
            Result(
                "S2",
                "wallet page of 20 grants",
                "requests/s",
                Series(gateway.name, rates[gateway.name]),
                Series(name, rates[name]),
                Target("≥", target),
            )
            for name, target in TARGETS.items()
        )
    )
