"""A tenant with a catalog, for tests of what happens in it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from gateway.storage.database import Database
from tests.catalog import Shop, open_shop
from tests.use_cases import find_broken


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    """Open a shop in this worker's emptied database; whatever the test did, the books are right afterwards."""
    yield await open_shop(database)
    assert await find_broken(database) == {}
