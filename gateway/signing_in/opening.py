"""Put recognition by issuers' tokens together from the settings, keep it up to date, and take it apart again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.settings import Settings
from gateway.signing_in.key_client import KeyClient
from gateway.signing_in.known_issuers import KnownIssuers
from gateway.storage.database import Database
from gateway.vendors.addresses import AddressPolicy


def issuer_addresses(settings: Settings) -> AddressPolicy:
    """Return which addresses issuers may have."""
    return AddressPolicy(allow_loopback=settings.issuer_allow_loopback)


@asynccontextmanager
async def open_issuers(settings: Settings, database: Database) -> AsyncIterator[KnownIssuers]:
    """Lend what the process knows of issuers; who lends it runs its jobs."""
    issuers = KnownIssuers(database, KeyClient(issuer_addresses(settings)))
    try:
        yield issuers
    finally:
        await issuers.close()
