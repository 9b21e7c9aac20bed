"""Fixtures for faults: pools that act as other gateways, servers that can stop answering, a vendor to buy from."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from gateway.purchasing.purchaser import Purchaser
from gateway.storage.database import Database
from tests.forwarder import Forwarder, forwarding
from tests.sealing import KEYS
from tests.use_cases import nobody_waiting
from tests.vendor_shop import VendorServer, VendorShop, open_vendor_shop

OpenGateway = Callable[..., Awaitable[Database]]


@pytest.fixture
def steady_statements() -> Iterator[None]:
    """Let an operation send the same statements each time, for tests that break off each of them."""
    with nobody_waiting():
        yield


@pytest.fixture
async def open_gateway(database_url: str) -> AsyncIterator[OpenGateway]:
    """Return a function that opens another pool, as another gateway on the same database has."""
    async with AsyncExitStack() as stack:

        async def open_one(**options: Any) -> Database:
            database = await Database.open(database_url, keys=KEYS, **options)
            stack.push_async_callback(database.close)
            return database

        yield open_one


@pytest.fixture
async def first(pristine_database_url: str) -> AsyncIterator[Forwarder]:
    """Stand between the gateway and a database of this test alone, as one of its servers."""
    async with forwarding(pristine_database_url) as forwarder:
        yield forwarder


@pytest.fixture
async def second(pristine_database_url: str) -> AsyncIterator[Forwarder]:
    """Stand before the same database as another server of it."""
    async with forwarding(pristine_database_url) as forwarder:
        yield forwarder


@pytest.fixture(scope="session")
def vendor_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VendorServer]:
    """Run the test vendor."""
    server = VendorServer(tmp_path_factory.mktemp("vendor"))
    yield server
    server.close()


@pytest.fixture
def server(vendor_process: VendorServer) -> VendorServer:
    """Let the vendor forget what it has sold."""
    vendor_process.reset()
    return vendor_process


@pytest.fixture
async def vendor_shop(database: Database, server: VendorServer) -> VendorShop:
    """Open a shop that sells what the vendor has."""
    return await open_vendor_shop(database, server)


@pytest.fixture
async def purchaser(vendor_shop: VendorShop) -> AsyncIterator[Purchaser]:
    """Lend a purchaser, as the gateway has one."""
    purchaser = vendor_shop.open_purchaser()
    yield purchaser
    await purchaser.close()
