"""Put the purchaser together from the settings, and take it apart again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.purchasing.client import VendorClient
from gateway.purchasing.purchaser import Purchaser
from gateway.settings import Settings
from gateway.storage.database import Database
from gateway.vendors.addresses import AddressPolicy
from gateway.vendors.model import VendorSecurity


@asynccontextmanager
async def open_purchaser(settings: Settings, database: Database) -> AsyncIterator[Purchaser]:
    """Lend a purchaser with the process's one HTTP client; at the end, calls under way may finish for a while."""
    addresses = AddressPolicy(allow_loopback=settings.vendor_allow_loopback)
    purchaser = Purchaser(database, VendorClient(VendorSecurity(addresses, database.keys)))
    try:
        yield purchaser
    finally:
        await purchaser.close()
