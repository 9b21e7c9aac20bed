"""The vendor of the fault tests, and a shop that buys from it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from gateway.purchasing.purchaser import Purchaser
from gateway.storage.database import Database
from tests.vendor_shop import VendorServer, VendorShop, open_vendor_shop


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
