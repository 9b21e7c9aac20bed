"""Random vendors, random crashes, random workers: whatever happens in whichever order, the promises hold."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from gateway.purchasing import order_store, purchaser, settling
from tests.faults.test_vendor_answers import NOT_SOLD, REFUSALS, SOLD_UNHEARD
from tests.plugins.figures import SayFigures
from tests.vendor_shop import VendorShop

# What takes a second each would make this slow, and is tested by itself.
SLOW = {"late", "late_before"}
AT_THE_DOOR = {"forbidden", "missing"}
BEHAVIORS = [
    *sorted({*SOLD_UNHEARD, *NOT_SOLD} - SLOW),
    *sorted(set(REFUSALS) - AT_THE_DOOR),
    "slow",
    "succeed",
]
ORDERS = 6
CRASH_PROBABILITY = 0.15


class Crash(Exception):
    """The process ends here, as far as this order is concerned."""


@pytest.mark.requirement("CAP-4", "CAP-5")
@pytest.mark.parametrize("seed", range(4))
async def test_promises_hold_whatever_happens(
    vendor_shop: VendorShop,
    monkeypatch: pytest.MonkeyPatch,
    say_figures: SayFigures,
    seed: int,
) -> None:
    """Six orders at once, three of them paid for; workers steal each other's leases and die in the middle."""
    chance = random.Random(seed)
    script = [chance.choice(BEHAVIORS) for _ in range(3 * ORDERS)]
    vendor_shop.server.behave("consistent", *script)
    crashes = 0

    def perhaps_crash(function: Any) -> Any:
        async def step(*arguments: Any, **named: Any) -> Any:
            nonlocal crashes
            if chance.random() < CRASH_PROBABILITY:
                crashes += 1
                raise Crash
            result = await function(*arguments, **named)
            if chance.random() < CRASH_PROBABILITY:
                crashes += 1
                raise Crash
            return result

        return step

    monkeypatch.setattr("gateway.issuing.issue_rewards.PATIENCE_SECONDS", 0.5)
    workers = [vendor_shop.open_purchaser() for _ in range(3)]
    with monkeypatch.context() as patch:
        for place, name in (
            (order_store, "postpone_order"),
            (purchaser, "settle_issued"),
            (purchaser, "settle_declined"),
            (settling, "record"),
        ):
            patch.setattr(place, name, perhaps_crash(getattr(place, name)))
        calls = [
            vendor_shop.issue(workers[0], vendor_shop.item(paid=number % 2 == 0))
            for number in range(ORDERS)
        ]
        issuing = asyncio.gather(*calls)
        for _ in range(10):
            if chance.random() < 0.5:
                await vendor_shop.make_due()
            await chance.choice(workers).run_due()
            await asyncio.sleep(chance.random() * 0.1)
        await issuing
    for worker in workers:
        await worker.finish_begun()
    await vendor_shop.check_promises(settled=False)
    await vendor_shop.work(*workers)
    for worker in workers:
        await worker.close()
    await vendor_shop.check_promises()
    issued = await vendor_shop.count("vendor_orders", "ISSUED")
    assert issued + await vendor_shop.count("vendor_orders", "DECLINED") == ORDERS
    assert len(vendor_shop.server.vouchers) == issued
    say_figures(
        f"{ORDERS} orders, {len(vendor_shop.server.calls)} calls, {crashes} crashes: "
        f"{issued} issued, {ORDERS - issued} declined, none bought twice, none lost"
    )
