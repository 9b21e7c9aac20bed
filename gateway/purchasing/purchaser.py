"""Orders pursued until they are settled: for a caller who waits a while, and by the worker for everybody else.

Asking is done outside of every database transaction: lease, ask, settle are three steps with a commit after the first and the
last. A process that dies in between leaves an order that is due again when its lease ends.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Coroutine, Sequence
from typing import Any
from uuid import UUID

from gateway.ids import new_id
from gateway.purchasing import order_store
from gateway.purchasing.client import VendorClient
from gateway.purchasing.judging import judge
from gateway.purchasing.model import Answer, ClaimedOrder, Issued, Refused, Unsettled, Verdict
from gateway.purchasing.settling import DECLINED, settle_declined, settle_issued
from gateway.purchasing.slots import CallLimits, VendorSlots
from gateway.storage.database import Database
from gateway.vendors.model import VendorSecurity

logger = logging.getLogger(__name__)

# How long a caller waits for vendors, from the start of the call.
PATIENCE_SECONDS = 8.0
DELAY_SECONDS_FIRST = 0.5
DELAY_SECONDS_MAX = 600.0
# A vendor that was never reached has sold nothing: after so many attempts the member gets the points back.
UNREACHED_ATTEMPTS_MAX = 5
# Of the callers that wait, and of the worker: neither keeps the other from a vendor.
CALLS_MAX = CallLimits(vendor_max=8, tenant_max=64, total_max=512)
WORKER_CALLS_MAX = CallLimits(vendor_max=4, tenant_max=32, total_max=256)
POLL_SECONDS = 0.5
PENDING = "PENDING"
CLOSE_SECONDS_MAX = 5.0


class Purchaser:
    """Asks for orders and settles them. One per process; `close` lets what is under way finish, for a while."""

    def __init__(self, database: Database, client: VendorClient) -> None:
        """Take where orders stand and who asks for them."""
        self._database = database
        self._client = client
        self._slots = VendorSlots(CALLS_MAX)
        self._worker_slots = VendorSlots(WORKER_CALLS_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self._worker_tasks: set[asyncio.Task[None]] = set()

    @property
    def security(self) -> VendorSecurity:
        """Return what calls to vendors are bound by."""
        return self._client.security

    async def close(self) -> None:
        """Wait for calls under way, for five seconds at most, and break off the others: their leases will end."""
        tasks = self._tasks | self._worker_tasks
        if tasks:
            _, running = await asyncio.wait(tasks, timeout=CLOSE_SECONDS_MAX)
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        await self._client.close()

    async def pursue(self, tenant_id: UUID, grant_ids: Sequence[UUID], deadline: float) -> None:
        """Ask for these orders at once and return when all are settled, or at the deadline; calls go on beyond it.

        Units: `deadline` in seconds of the event loop's clock. Never raises because of a vendor.
        """
        async with self._database.connection() as connection:
            vendors = await order_store.fetch_vendors_of_orders(connection, tenant_id, grant_ids)
        tasks = [
            self._start(self._pursue_one(tenant_id, grant_id, vendor_id, deadline), self._tasks)
            for grant_id, vendor_id in vendors.items()
        ]
        wait = deadline - asyncio.get_running_loop().time()
        if tasks and wait > 0:
            await asyncio.wait(tasks, timeout=wait)

    async def run_due(self) -> int:
        """Begin asking for orders that are due, of all tenants, as far as there is room; return how many were begun."""
        async with self._database.connection() as connection:
            vendors = await order_store.fetch_vendors_with_due_orders(connection)
        return sum([await self._begin_due(*vendor) for vendor in vendors])

    async def _begin_due(self, tenant_id: UUID, vendor_id: UUID) -> int:
        """Begin asking one vendor for orders that are due; return how many were begun."""
        # Taken before the orders are claimed: a lease should not pass while its order waits for a slot.
        slots = self._worker_slots.take_free(tenant_id, vendor_id, WORKER_CALLS_MAX.vendor_max)
        if not slots:
            return 0
        begun = 0
        try:
            async with self._database.connection() as connection:
                orders = await order_store.claim_due_orders(
                    connection, tenant_id, vendor_id, new_id(), slots
                )
            for order in orders:
                self._start(self._attempt_safely(order), self._worker_tasks)
                begun += 1
        finally:
            # Those that no order needs; each of the others goes with its task.
            for _ in range(slots - begun):
                self._worker_slots.give_back(tenant_id, vendor_id)
        return begun

    async def finish_begun(self) -> None:
        """Wait until everything that `run_due` began is through."""
        while self._worker_tasks:
            await asyncio.wait(self._worker_tasks)

    def _start(
        self, work: Coroutine[Any, Any, None], tasks: set[asyncio.Task[None]]
    ) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        return task

    async def _pursue_one(
        self, tenant_id: UUID, grant_id: UUID, vendor_id: UUID, deadline: float
    ) -> None:
        clock = asyncio.get_running_loop().time
        try:
            while True:
                # Claimed when there is a slot for the call, not before: a lease should not pass while it waits.
                async with self._slots.take(tenant_id, vendor_id, deadline - clock()):
                    wait_seconds = await self._step(tenant_id, grant_id)
                if wait_seconds is None or clock() + wait_seconds > deadline:
                    return
                await asyncio.sleep(wait_seconds)
        except TimeoutError:
            # The vendor is busy with others' orders for as long as the caller waits: the worker asks for this one.
            return
        except Exception:
            # The order is committed and its lease will end: the worker goes on with it.
            logger.exception(
                "vendor order not settled", extra={"facts": {"grant_id": str(grant_id)}}
            )

    async def _step(self, tenant_id: UUID, grant_id: UUID) -> float | None:
        """Ask if it is our turn, else see how it stands; return after how long to come back, or None if it is settled."""
        async with self._database.connection() as connection:
            order = await order_store.claim_order(connection, tenant_id, grant_id, new_id())
        if order is not None:
            return await self.attempt(order)
        async with self._database.connection() as connection:
            status = await order_store.fetch_status(connection, tenant_id, grant_id)
        return POLL_SECONDS if status == PENDING else None

    async def _attempt_safely(self, order: ClaimedOrder) -> None:
        try:
            await self.attempt(order)
        except Exception:
            logger.exception("vendor order not settled", extra=_facts(order))
        finally:
            self._worker_slots.give_back(order.tenant_id, order.vendor_id)

    async def attempt(self, order: ClaimedOrder) -> float | None:
        """Ask once and act on what comes of it; return after how many seconds to ask again, or None if it is settled."""
        answer = await self._client.ask(order)
        verdict = judge_attempt(order, answer)
        if isinstance(verdict, Issued):
            if not await settle_issued(self._database, order, verdict):
                await self._report_late_voucher(order)
            return None
        if isinstance(verdict, Refused):
            # Without the lease somebody else is asking, and decides.
            settled = await settle_declined(self._database, order, verdict.reason)
            return None if settled else POLL_SECONDS
        return await self._postpone(order, verdict)

    async def _report_late_voucher(self, order: ClaimedOrder) -> None:
        """Say in the log if a vendor has issued what it had refused before: only people can settle that."""
        async with self._database.connection() as connection:
            status = await order_store.fetch_status(connection, order.tenant_id, order.grant_id)
        if status == DECLINED:
            logger.error("vendor issued a refused order", extra=_facts(order))

    async def _postpone(self, order: ClaimedOrder, verdict: Unsettled) -> float:
        delay_seconds = back_off(order.attempt_count)
        async with self._database.connection() as connection:
            held = await order_store.postpone_order(
                connection,
                order,
                delay_seconds,
                is_uncertain=order.was_uncertain or verdict.may_have_issued,
                problem=verdict.reason,
            )
        logger.log(
            logging.ERROR if verdict.is_own_fault else logging.WARNING,
            "vendor order unsettled",
            extra=_facts(order, attempt=order.attempt_count, reason=verdict.reason),
        )
        return delay_seconds if held else POLL_SECONDS


def judge_attempt(order: ClaimedOrder, answer: Answer | Unsettled) -> Verdict:
    """Return what an attempt proves; a vendor that could never be reached has refused in the end."""
    verdict: Verdict = (
        answer
        if isinstance(answer, Unsettled)
        else judge(answer, order.response_mapping, was_uncertain=order.was_uncertain)
    )
    if (
        isinstance(verdict, Unsettled)
        and not verdict.may_have_issued
        and not verdict.is_own_fault
        and not order.was_uncertain
        and order.attempt_count >= UNREACHED_ATTEMPTS_MAX
    ):
        return Refused(verdict.reason)
    return verdict


def back_off(attempt_count: int) -> float:
    """Return how long to wait after so many attempts: twice as long each time, up to ten minutes, spread by half."""
    longest = min(DELAY_SECONDS_FIRST * 2.0 ** min(attempt_count - 1, 30), DELAY_SECONDS_MAX)
    # Jitter only spreads the attempts out; it guards nothing.
    return longest * (0.5 + random.random() / 2)  # noqa: S311


def _facts(order: ClaimedOrder, **more: object) -> dict[str, object]:
    ids = {"grant_id": str(order.grant_id), "vendor_id": str(order.vendor_id)}
    return {"facts": ids | more}
