"""Fixtures for faults: pools that act as other gateways, and the owner who reaches behind the application."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import pytest

from gateway.storage.database import Database

OpenGateway = Callable[..., Awaitable[Database]]


@pytest.fixture
async def owner(owner_database_url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Connect as the owner."""
    connection = await asyncpg.connect(owner_database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def open_gateway(database_url: str) -> AsyncIterator[OpenGateway]:
    """Return a function that opens another pool, as another gateway on the same database has."""
    async with AsyncExitStack() as stack:

        async def open_one(**options: Any) -> Database:
            database = await Database.open(database_url, **options)
            stack.push_async_callback(database.close)
            return database

        yield open_one
