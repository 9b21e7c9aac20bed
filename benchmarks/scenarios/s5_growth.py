"""S5: the same work with a short and with a long history, and the first page of a long list against the thousandth."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
import orjson

from benchmarks.databases import fresh_database
from benchmarks.failure import BenchmarkFailed
from benchmarks.gateway_side import (
    GRANTED_MARKER,
    grant_variables,
    serve_gateway,
    wallet_call,
)
from benchmarks.growth import GrownWorld, grow
from benchmarks.load import Call
from benchmarks.measures import Result, Series, Target
from benchmarks.operations import operation_body
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.sides import Side, Work, verify_nothing
from benchmarks.turns import load_grants, load_side, warm_up_and_alternate
from benchmarks.world import external_id

GROWTH_MAX = 1.2
# Items before the thousandth page of 20, and the largest page there is.
ITEMS_BEFORE = 999 * 20
STRIDE_MAX = 100


@contextmanager
def open_grown(entry_count: int) -> Iterator[tuple[Side, GrownWorld, float]]:
    """Run the gateway on a history of about this many entries; yields the seconds that building it took, too."""
    with fresh_database(f"grown-{entry_count}", migrated=True) as database:
        started = time.perf_counter()
        world = grow(database, entry_count)
        seconds = time.perf_counter() - started
        wallet = wallet_call(world.member_tokens, None)
        members = [
            (external_id(number), world.partner_token) for number in range(world.member_count)
        ]
        body = operation_body("gateway/grant", grant_variables())
        calls = {
            Work.GRANT: Call("/graphql", body, GRANTED_MARKER, members),
            Work.WALLET: wallet,
        }
        with serve_gateway(database, wallet) as (url, process_id):
            name = f"{entry_count:,} entries"
            yield Side(name, "", url, process_id, database, calls, verify_nothing), world, seconds


def measure_growth(plan: Plan, report: Report) -> None:
    """Compare the slowest hundredth of grants and of wallets, with a long history against a short one."""
    with (
        open_grown(plan.growth_entries_few) as (few, _, _),
        open_grown(plan.growth_entries_many) as (many, world, seconds),
    ):
        report.raw["S5 loading"] = {"entries": plan.growth_entries_many, "seconds": seconds}
        for work, loader, what in (
            (Work.GRANT, load_grants, "grantReward, p99"),
            (Work.WALLET, load_side, "wallet page, p99"),
        ):
            loads = {
                side.name: partial(loader, side, side.calls[work], connections=plan.connections)
                for side in (many, few)
            }
            _compare(plan, what, loads, report)
        pages = _pages(plan, many, world)
        _compare(plan, "page 1,000 against page 1, p99", pages, report)


def _compare(plan: Plan, what: str, loads: dict[str, Any], report: Report) -> None:
    """Measure two sides in turn; the first is held against the second."""
    measured = warm_up_and_alternate(
        loads,
        warm_up_seconds=plan.warm_up_seconds,
        turns=plan.growth_turns,
        seconds=plan.growth_seconds,
    )
    report.raw[f"S5 {what}"] = measured
    long, short = (Series(name, [load.p99 for load in turns]) for name, turns in measured.items())
    report.add(Result("S5", what, "ms", long, short, Target("≤", GROWTH_MAX)))


def _pages(plan: Plan, side: Side, world: GrownWorld) -> dict[str, Any]:
    """Return how to load the thousandth and the first page of the member who has the most grants."""
    tokens = [world.whale_token]
    calls = {
        "page 1,000": wallet_call(tokens, _walk(side.url, world.whale_token)),
        "page 1": wallet_call(tokens, None),
    }
    return {
        name: partial(load_side, side, call, connections=plan.connections)
        for name, call in calls.items()
    }


def _walk(url: str, token: str) -> str:
    """Return the cursor behind which the thousandth page begins, by walking there."""
    cursor: str | None = None
    left = ITEMS_BEFORE
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    with httpx.Client(base_url=url, headers=headers) as client:
        while left:
            stride = min(left, STRIDE_MAX)
            body = operation_body("gateway/wallet", {"first": stride, "after": cursor})
            answer = orjson.loads(client.post("/graphql", content=body).content)
            page = answer["data"]["me"]["grants"]
            cursor = page["pageInfo"]["endCursor"]
            left -= stride
    if cursor is None or len(page["edges"]) != stride:
        raise BenchmarkFailed("The list is shorter than a thousand pages.")
    return cursor
