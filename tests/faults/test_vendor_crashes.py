"""The gateway dies between any two steps, workers meet, leases end too early, and many ask at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from gateway.grants import store
from gateway.grants.record import GrantStatus
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.model import BatchOutcome
from gateway.purchasing import order_store, purchaser, settling
from gateway.purchasing.client import VendorClient
from gateway.purchasing.purchaser import Purchaser
from tests.vendor_shop import POINTS, PRICE, VendorShop
from tests.waiting import fetch_until

pytestmark = pytest.mark.requirement("CAP-5", "CAP-4")


class Crash(BaseException):
    """The process ends here: nothing after it runs."""


def crash_once(function: Callable[..., Awaitable[Any]], *, after: bool) -> Callable[..., Any]:
    """Wrap a step so that the process dies before it, or right after it, the first time."""
    crashed = False

    async def step(*arguments: Any, **named: Any) -> Any:
        nonlocal crashed
        if not crashed and not after:
            crashed = True
            raise Crash
        result = await function(*arguments, **named)
        if not crashed:
            crashed = True
            raise Crash
        return result

    return step


async def run(worker: Purchaser) -> None:
    """Let a worker work, and raise what its tasks raise."""
    await worker.run_due()
    await asyncio.gather(*worker._worker_tasks)


STEPS = [
    (order_store, "claim_due_orders"),
    (VendorClient, "ask"),
    (purchaser, "settle_issued"),
    (settling, "settle_order"),
    (settling, "lock_balances"),
    (settling, "record"),
    (store, "mark_issued"),
]


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("place", "name"), STEPS, ids=[name for _, name in STEPS])
async def test_crash_between_two_steps_loses_nothing(
    vendor_shop: VendorShop,
    monkeypatch: pytest.MonkeyPatch,
    place: Any,
    name: str,
    after: bool,
) -> None:
    await vendor_shop.issue(None)
    with monkeypatch.context() as patch:
        patch.setattr(place, name, crash_once(getattr(place, name), after=after))
        worker = vendor_shop.open_purchaser()
        with pytest.raises(Crash):
            await run(worker)
        await worker.close()
    await vendor_shop.check_promises(settled=False)
    await vendor_shop.work()
    assert len(vendor_shop.server.vouchers) == 1
    assert await vendor_shop.count("grants", "CLAIMED") == 2
    await vendor_shop.check_promises()


@pytest.mark.parametrize("name", ["settle_declined", "judge_attempt"])
async def test_crash_before_a_refusal_is_noted_frees_the_points_later(
    vendor_shop: VendorShop, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    vendor_shop.server.behave("refuse", "refuse")
    await vendor_shop.issue(None)
    with monkeypatch.context() as patch:

        def die(*_: Any) -> None:
            raise Crash

        patch.setattr(purchaser, name, die)
        worker = vendor_shop.open_purchaser()
        with pytest.raises(Crash):
            await run(worker)
        await worker.close()
    await vendor_shop.work()
    assert await vendor_shop.balance() == (POINTS, 0)
    await vendor_shop.check_promises()


async def test_crash_after_a_call_leaves_its_outcome_unknown(
    vendor_shop: VendorShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has noted that the vendor sold: that its door is closed afterwards refuses nothing."""
    vendor_shop.server.behave("succeed", "forbidden")
    await vendor_shop.issue(None)
    with monkeypatch.context() as patch:
        patch.setattr(VendorClient, "ask", crash_once(VendorClient.ask, after=True))
        worker = vendor_shop.open_purchaser()
        with pytest.raises(Crash):
            await run(worker)
        await worker.close()
    await vendor_shop.work()
    assert len(vendor_shop.server.calls) == 3
    assert await vendor_shop.count("grants", "DECLINED") == 0
    assert await vendor_shop.balance() == (POINTS - PRICE, 0)
    await vendor_shop.check_promises()


async def test_leased_order_is_claimed_by_nobody_else(vendor_shop: VendorShop) -> None:
    await vendor_shop.issue(None)
    order = await vendor_shop.claim()
    async with vendor_shop.database.connection() as connection:
        ids = (order.tenant_id, order.grant_id, new_id())
        assert await order_store.claim_order(connection, *ids) is None
        assert (
            await order_store.claim_due_orders(
                connection, order.tenant_id, order.vendor_id, new_id(), 10
            )
            == []
        )
    await vendor_shop.work()
    assert len(vendor_shop.server.calls) == 1
    await vendor_shop.check_promises()


async def test_passed_lease_postpones_nothing(vendor_shop: VendorShop) -> None:
    """The call of its new holder is under way: neither its lease nor its uncertain outcome is forgotten."""
    await vendor_shop.issue(None)
    first = await vendor_shop.claim()
    await vendor_shop.make_due()
    second = await vendor_shop.claim()
    async with vendor_shop.database.connection() as connection:
        assert not await order_store.postpone_order(
            connection, first, 60, is_uncertain=False, problem="late"
        )
        rows = await connection.fetch("SELECT lease_id, is_uncertain FROM vendor_orders")
    assert [tuple(row) for row in rows] == [(second.lease_id, True)]
    await vendor_shop.work()
    await vendor_shop.check_promises()


async def test_crash_before_the_first_call_leaves_the_order_to_the_worker(
    vendor_shop: VendorShop,
) -> None:
    await vendor_shop.issue(None)
    assert await vendor_shop.balance() == (POINTS, PRICE)
    assert vendor_shop.server.calls == []
    await vendor_shop.work()
    await vendor_shop.check_promises()


async def test_two_workers_ask_once(vendor_shop: VendorShop) -> None:
    vendor_shop.server.behave("slow")
    await vendor_shop.issue(None)
    workers = [vendor_shop.open_purchaser() for _ in range(2)]
    begun = await asyncio.gather(*(worker.run_due() for worker in workers for _ in range(3)))
    for worker in workers:
        await worker.finish_begun()
        await worker.close()
    assert sum(begun) == 1
    assert len(vendor_shop.server.calls) == 1
    await vendor_shop.check_promises()


async def test_caller_and_worker_ask_once(vendor_shop: VendorShop, purchaser: Purchaser) -> None:
    """The caller waits for what a worker has already begun."""
    vendor_shop.server.behave("slow", "slow")
    worker = vendor_shop.open_purchaser()
    issuing = asyncio.create_task(vendor_shop.issue(purchaser))
    while not issuing.done():
        await worker.run_due()
        await asyncio.sleep(0.01)
    await worker.finish_begun()
    await worker.close()
    assert issuing.result().outcome is BatchOutcome.ALL
    assert len(vendor_shop.server.calls) == 1
    await vendor_shop.check_promises()


async def test_late_answer_after_the_lease_takes_the_points_once(
    vendor_shop: VendorShop, purchaser: Purchaser
) -> None:
    """Both calls bring the same voucher; whichever comes first settles, and the other changes nothing."""
    vendor_shop.server.behave("slow", "succeed")
    await vendor_shop.issue(None)
    first = await vendor_shop.claim()
    running = asyncio.create_task(purchaser.attempt(first))
    await asyncio.sleep(0.1)
    await vendor_shop.make_due()
    second = await vendor_shop.claim()
    assert (first.was_uncertain, second.was_uncertain) == (False, True)
    assert await purchaser.attempt(second) is None
    assert await running is None
    assert len(vendor_shop.server.calls) == 2
    assert await vendor_shop.balance() == (POINTS - PRICE, 0)
    await vendor_shop.check_promises()


async def test_late_voucher_of_a_passed_lease_counts(
    vendor_shop: VendorShop, purchaser: Purchaser
) -> None:
    await vendor_shop.issue(None)
    first = await vendor_shop.claim()
    await vendor_shop.make_due()
    second = await vendor_shop.claim()
    assert await purchaser.attempt(first) is None
    assert await vendor_shop.count("grants", "CLAIMED") == 2
    assert await purchaser.attempt(second) is None
    await vendor_shop.check_promises()


@pytest.mark.parametrize("answer", ["refuse", "fail_before"])
async def test_late_bad_news_of_a_passed_lease_decides_nothing(
    vendor_shop: VendorShop, purchaser: Purchaser, answer: str
) -> None:
    """Another call is under way, which may succeed: only the holder of the lease may free the points or postpone."""
    vendor_shop.server.behave(answer)
    await vendor_shop.issue(None)
    first = await vendor_shop.claim()
    await vendor_shop.make_due()
    second = await vendor_shop.claim()
    assert await purchaser.attempt(first) is not None
    assert await vendor_shop.count("grants", "PENDING") == 1
    assert await vendor_shop.balance() == (POINTS, PRICE)
    assert await purchaser.attempt(second) is None
    assert await vendor_shop.balance() == (POINTS - PRICE, 0)
    await vendor_shop.check_promises()


async def test_vendor_that_contradicts_itself_is_reported(
    vendor_shop: VendorShop, purchaser: Purchaser, caplog: pytest.LogCaptureFixture
) -> None:
    vendor_shop.server.behave("refuse")
    await vendor_shop.issue(None)
    first = await vendor_shop.claim()
    await vendor_shop.make_due()
    second = await vendor_shop.claim()
    assert await purchaser.attempt(second) is None
    assert await purchaser.attempt(first) is None
    assert await vendor_shop.balance() == (POINTS, 0)
    assert "vendor issued a refused order" in caplog.text


async def test_simultaneous_issues_buy_what_the_points_allow(
    vendor_shop: VendorShop, purchaser: Purchaser
) -> None:
    """One hundred points are three vouchers for thirty, whoever asks, and however often each call is repeated."""
    calls = [vendor_shop.issue(purchaser, key=f"{number % 5}") for number in range(15)]
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    await vendor_shop.work()
    assert len([outcome for outcome in outcomes if isinstance(outcome, Exception)]) % 3 == 0
    assert len(vendor_shop.server.vouchers) == 3
    assert await vendor_shop.balance() == (POINTS - 3 * PRICE, 0)
    await vendor_shop.check_promises()


async def test_items_of_one_call_are_asked_for_together(
    vendor_shop: VendorShop, purchaser: Purchaser
) -> None:
    vendor_shop.server.behave("slow", "slow", "slow", "slow")
    clock = asyncio.get_running_loop().time
    began = clock()
    items = [vendor_shop.item(paid=index < 3) for index in range(4)]
    outcome = await vendor_shop.issue(purchaser, *items)
    assert outcome.outcome is BatchOutcome.ALL
    assert clock() - began < 1.1
    await vendor_shop.check_promises()


async def test_each_item_ends_for_itself(vendor_shop: VendorShop, purchaser: Purchaser) -> None:
    items = [vendor_shop.item() for _ in range(3)]
    vendor_shop.server.behave("refuse")
    outcome = await vendor_shop.issue(purchaser, *items)
    codes = sorted(item.status.code for item in outcome.items)
    assert codes == [StatusCode.GRANTED, StatusCode.GRANTED, StatusCode.VENDOR_DECLINED]
    assert outcome.outcome is BatchOutcome.PARTIAL
    assert await vendor_shop.balance() == (POINTS - 2 * PRICE, 0)
    await vendor_shop.check_promises()


async def test_caller_is_answered_pending_and_the_call_goes_on(
    vendor_shop: VendorShop, purchaser: Purchaser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not settled in time is pending; the replay shows what has become of it."""
    monkeypatch.setattr("gateway.issuing.issue_rewards.PATIENCE_SECONDS", 0.1)
    vendor_shop.server.behave("slow")
    outcome = await vendor_shop.issue(purchaser, key="1")
    (item,) = outcome.items
    assert (outcome.outcome, item.status.code, item.quantity) == (
        BatchOutcome.PENDING,
        StatusCode.PENDING,
        0,
    )
    assert item.grant is not None
    assert item.grant.status is GrantStatus.PENDING
    assert await vendor_shop.balance() == (POINTS, PRICE)
    await asyncio.sleep(0.6)
    replay = await vendor_shop.issue(purchaser, key="1")
    assert replay.items[0].status.code is StatusCode.GRANTED
    assert len(vendor_shop.server.calls) == 1
    await vendor_shop.check_promises()


async def test_stop_lets_calls_finish(vendor_shop: VendorShop) -> None:
    vendor_shop.server.behave("slow")
    await vendor_shop.issue(None)
    worker = vendor_shop.open_purchaser()
    await worker.run_due()
    await worker.close()
    await vendor_shop.check_promises()


async def test_stop_breaks_off_calls_that_last(
    vendor_shop: VendorShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(purchaser, "CLOSE_SECONDS_MAX", 0.05)
    vendor_shop.server.behave("slow")
    await vendor_shop.issue(None)
    worker = vendor_shop.open_purchaser()
    await worker.run_due()
    await worker.close()
    assert await vendor_shop.count("grants", "PENDING") == 1
    await vendor_shop.work()
    assert len(vendor_shop.server.vouchers) == 1
    await vendor_shop.check_promises()


CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE pid <> pg_backend_pid() AND application_name = 'rewards-gateway' AND datname = current_database() AND state = 'idle'
"""


async def test_database_lost_while_the_vendor_answers_is_made_up_for(
    vendor_shop: VendorShop, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    """Every connection is cut while the vendor is asked; settling takes new ones."""
    vendor_shop.server.behave("slow")
    await vendor_shop.issue(None)
    worker = vendor_shop.open_purchaser()
    await worker.run_due()
    await asyncio.sleep(0.1)
    # As the owner: the role of the application does not see what sessions of other logins do.
    await fetch_until(lambda: owner.fetch(CUT), bool)
    await worker.finish_begun()
    await worker.close()
    await vendor_shop.work()
    assert len(vendor_shop.server.vouchers) == 1
    await vendor_shop.check_promises()
