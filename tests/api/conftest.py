"""Servers that the HTTP tests share: one in development, one as in production."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.api.toy_http import create_toy_application, serve


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
