"""Servers that the tests share: toys in development and as in production, and the real application on its demo."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from gateway.app import create_application
from gateway.demo.seed import ensure_demo
from gateway.http.graphql_schema import GatewaySchema
from gateway.settings import Settings
from gateway.storage.database import Database
from tests.api.compiled_watch import is_introspection, watching_compiled
from tests.api.toy_http import create_toy_application, serve, started
from tests.sealing import MASTER


# Of this package alone: elsewhere operations are interpreted on purpose.
@pytest.fixture(scope="package", autouse=True)
def _compiled_at_once() -> Iterator[None]:
    """Compile operations at their first use: in tests, most are used once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GatewaySchema, "compile_at_use", 1)
        yield


@pytest.fixture(scope="package", autouse=True)
def interpreted_operations(_compiled_at_once: None) -> Iterator[list[str]]:
    """Let no operation of these tests succeed without compiled code unnoticed: it would be right, and slow.

    Gives the texts of those that did so far; a test that wants one to takes it out again.
    """
    with watching_compiled() as interpreted:
        yield interpreted
    assert [text for text in interpreted if not is_introspection(text)] == []


@pytest.fixture(scope="session")
def development(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Give a client of a toy server in development, without demo data."""
    data_dir = tmp_path_factory.mktemp("data")
    with serve(create_toy_application(development=True, data_dir=data_dir)) as client:
        yield client


@pytest.fixture(scope="session")
def production(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Give a client of a toy server as in production."""
    data_dir = tmp_path_factory.mktemp("data")
    with serve(create_toy_application(development=False, data_dir=data_dir)) as client:
        yield client


@pytest.fixture
async def demo_client(
    database: Database, database_url: str, tmp_path: Path
) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of the real application, in development, on the demo data in `tmp_path`."""
    assert await ensure_demo(database, tmp_path)
    settings = Settings(development=True, data_dir=tmp_path, secret_keys=(MASTER,))
    application = create_application(settings, database_url)
    async with started(application):
        transport = httpx.ASGITransport(application)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            yield client
