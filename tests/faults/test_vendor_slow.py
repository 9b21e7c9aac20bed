"""A slow vendor uses up its own slots only: orders at other vendors, of other tenants too, are asked for at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.grants.record import GrantStatus
from gateway.purchasing.purchaser import CALLS_MAX, WORKER_CALLS_MAX
from gateway.storage.database import Database
from tests.vendor_shop import NoServer, VendorServer, open_vendor_shop
from tests.waiting import WAIT_SECONDS_MAX, fetch_until

ORDERS = 30


class SilentVendor(NoServer):
    """Takes every connection and answers none."""

    def __init__(self) -> None:
        super().__init__()
        self.call_count = 0
        self._calls = asyncio.Semaphore(0)
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def called(self, count: int) -> None:
        """Wait until it was called so many times."""
        async with asyncio.timeout(WAIT_SECONDS_MAX):
            for _ in range(count):
                await self._calls.acquire()

    async def _take(self, _: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.call_count += 1
        self._calls.release()
        self._writers.append(writer)

    async def stop_listening(self) -> None:
        for writer in self._writers:
            writer.close()
        self._server.close()
        await self._server.wait_closed()


@pytest.fixture
async def silent() -> AsyncIterator[SilentVendor]:
    """Give a vendor that never answers."""
    vendor = SilentVendor()
    await vendor.open()
    yield vendor
    await vendor.stop_listening()


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for the silent vendor for long: the test would only take longer."""
    monkeypatch.setattr("gateway.issuing.issue_rewards.PATIENCE_SECONDS", 0.5)


async def test_silent_vendor_of_one_tenant_keeps_no_other_waiting(
    database: Database, server: VendorServer, silent: SilentVendor
) -> None:
    slow = await open_vendor_shop(database, silent)
    quick = await open_vendor_shop(database, server)
    purchaser = slow.open_purchaser()
    try:
        waiting = asyncio.create_task(slow.issue(purchaser, *[slow.item(paid=False)] * ORDERS))
        await silent.called(CALLS_MAX.vendor_max)
        outcome = await quick.issue(purchaser, quick.item(paid=False))
        assert [item.grant and item.grant.status for item in outcome.items] == [GrantStatus.CLAIMED]
        items = (await waiting).items
        assert {item.grant and item.grant.status for item in items} == {GrantStatus.PENDING}
        # It got no more calls than it has slots, though thirty orders wait.
        assert silent.call_count == CALLS_MAX.vendor_max
    finally:
        await purchaser.close()


async def test_worker_asks_other_vendors_while_one_is_silent(
    database: Database, server: VendorServer, silent: SilentVendor
) -> None:
    slow = await open_vendor_shop(database, silent)
    quick = await open_vendor_shop(database, server)
    await slow.issue(None, *[slow.item(paid=False)] * ORDERS)
    await quick.issue(None, quick.item(paid=False))
    worker = quick.open_purchaser()
    try:
        assert await worker.run_due() == WORKER_CALLS_MAX.vendor_max + 1
        await fetch_until(lambda: quick.count("vendor_orders", "ISSUED"), lambda count: count == 1)
        assert await slow.count("vendor_orders", "PENDING") == ORDERS
        # Its slots are taken: nothing more of its is begun.
        assert await worker.run_due() == 0
    finally:
        await worker.close()
