"""S2: the page of a member's own frontend: balances, the newest 20 grants with their rewards, and whether there are more."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from benchmarks.measures import Result, Series, Target
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.sides import Side, Work
from benchmarks.turns import alternate, load_side

TARGETS = {"PostGraphile": 1.5, "hand-written": 0.5}


def measure_wallets(plan: Plan, gateway: Side, peers: Sequence[Side], report: Report) -> None:
    """Compare wallet pages a second."""
    loads = {
        side.name: partial(load_side, side, side.calls[Work.WALLET], connections=plan.connections)
        for side in (gateway, *peers)
    }
    for load in loads.values():
        load(seconds=plan.warm_up_seconds)
    measured = alternate(
        plan.turns,
        {name: partial(load, seconds=plan.wallet_seconds) for name, load in loads.items()},
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
