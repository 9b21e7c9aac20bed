"""S3: distributions of 1,000 and 10,000 lines, one request at a time, against the same rows inside the server."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from functools import partial

import httpx
import orjson

from benchmarks.databases import fresh_database
from benchmarks.failure import BenchmarkFailed
from benchmarks.gateway_side import serve_gateway, verify_ledger, wallet_probe
from benchmarks.measures import Result, Series, Target
from benchmarks.operations import operation_body
from benchmarks.plan import Plan
from benchmarks.report import Report
from benchmarks.set_based_side import NAME as SET_BASED
from benchmarks.set_based_side import SetBasedSide, open_set_based
from benchmarks.turns import alternate
from benchmarks.world import World, open_world, wallet_address
from gateway.ids import new_id

LINES_A_SECOND_MIN = 20_000
SHARE_OF_SET_BASED_MIN = 0.4
SIZES = (1_000, 10_000)
TIMEOUT_SECONDS = 60


def measure_distributions(plan: Plan, report: Report) -> None:
    """Compare lines a second, for each size; and, without a target, what a status for every line costs."""
    with (
        fresh_database("gateway", migrated=True) as database,
        open_set_based(plan) as set_based,
        httpx.Client(timeout=TIMEOUT_SECONDS) as client,
    ):
        world = open_world(database, plan)
        with serve_gateway(database, wallet_probe(world)) as (url, _):
            client.base_url = httpx.URL(url)
            for size in SIZES:
                _measure(plan, size, client, world, set_based, report)
        verify_ledger(database)


def _measure(
    plan: Plan,
    size: int,
    client: httpx.Client,
    world: World,
    set_based: SetBasedSide,
    report: Report,
) -> None:
    is_small = size == SIZES[0]
    count = plan.small_distributions_per_turn if is_small else plan.large_distributions_per_turn

    def through_gateway(operation: str) -> float:
        return _rate(
            size, [_distribute(client, world, operation, _draw(plan, size)) for _ in range(count)]
        )

    def inside_server() -> float:
        set_based.database.settle()
        return _rate(size, set_based.distribute([_draw(plan, size) for _ in range(count)]))

    measures: dict[str, Callable[[], float]] = {
        "gateway": partial(through_gateway, "gateway/distribute"),
        SET_BASED: inside_server,
        "gateway, all results": partial(through_gateway, "gateway/distribute_with_results"),
    }
    alternate(1, measures)
    rates = alternate(plan.turns, measures)
    report.raw[f"S3 {size}"] = rates
    what = f"distributeRewards, {size:,} lines"
    gateway = Series("gateway", rates["gateway"])
    share = Target("≥", SHARE_OF_SET_BASED_MIN)
    report.add(
        Result("S3", what, "lines/s", gateway, None, Target("≥", LINES_A_SECOND_MIN)),
        Result("S3", what, "lines/s", gateway, Series(SET_BASED, rates[SET_BASED]), share),
        Result(
            "S3",
            f"{what}, a status for each",
            "lines/s",
            Series("gateway", rates["gateway, all results"]),
            gateway,
            None,
        ),
    )


def _rate(size: int, seconds: Sequence[float]) -> float:
    return size * len(seconds) / sum(seconds)


def _draw(plan: Plan, size: int) -> list[str]:
    return [wallet_address(number) for number in random.sample(range(plan.members), size)]


def _distribute(
    client: httpx.Client, world: World, operation: str, addresses: Sequence[str]
) -> float:
    """Send one distribution and return the seconds until its whole answer was there."""
    assets = world.caller.standard_assets
    lines = [
        {
            "recipient": {"identifierType": "WALLET_ADDRESS", "identifierValue": address},
            "currencyReward": {"currencyId": str(assets.points_id), "amount": 50},
            "xpReward": 100,
        }
        for address in addresses
    ]
    body = operation_body(operation, {"input": {"requestId": str(new_id()), "rewards": lines}})
    headers = {
        "authorization": f"Bearer {world.partner_token}",
        "content-type": "application/json",
    }
    started = time.perf_counter()
    response = client.post("/graphql", content=body, headers=headers)
    seconds = time.perf_counter() - started
    answer = orjson.loads(response.content)
    outcome = (answer.get("data") or {}).get("distributeRewards", {})
    if outcome.get("processedCount") != len(addresses):
        raise BenchmarkFailed(f"A distribution failed: {response.text[:500]}")
    return seconds
