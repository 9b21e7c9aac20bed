"""Which of several servers is used: one that answers, and can be written to; the others are passed over within seconds."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import asyncpg
import pytest

from gateway.database_address import DatabaseAddress
from gateway.storage.connecting import Connector, NoServer
from gateway.storage.database import Database
from tests.forwarder import Forwarder

READ_ONLY = "ALTER DATABASE {} SET default_transaction_read_only = on"
WRITABLE = "ALTER DATABASE {} RESET default_transaction_read_only"


def address_of(owner_url: str, *servers: Forwarder | int, more: str = "") -> str:
    ports = [server if isinstance(server, int) else server.port for server in servers]
    hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
    path = urlsplit(owner_url).path
    return f"postgresql://rewards_gateway@{hosts}{path}?sslmode=disable&connect_timeout=1{more}"


def connector_of(owner_url: str, *servers: Forwarder | int, more: str = "") -> Connector:
    return Connector(DatabaseAddress.parse(address_of(owner_url, *servers, more=more)))


@asynccontextmanager
async def read_only(owner_url: str) -> AsyncIterator[None]:
    """Let new sessions on the database read only, as those of a standby do."""
    name = urlsplit(owner_url).path[1:]
    owner = await asyncpg.connect(owner_url)
    await owner.execute(READ_ONLY.format(name))
    try:
        yield
    finally:
        await owner.execute("SET default_transaction_read_only = off")
        await owner.execute(WRITABLE.format(name))
        await owner.close()


def closed_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port: int = unused.getsockname()[1]
        return port


async def test_silent_server_is_passed_over_and_then_asked_last(
    pristine_database_url: str, first: Forwarder, second: Forwarder
):
    connector = connector_of(pristine_database_url, first, second)
    first.freeze()
    for _ in range(3):
        await (await connector.connect()).close()
    assert first.connection_count == 1
    assert connector.server == ("127.0.0.1", second.port)


async def test_server_where_nobody_listens_is_passed_over(
    pristine_database_url: str, second: Forwarder
):
    connector = connector_of(pristine_database_url, closed_port(), second)
    await (await connector.connect()).close()
    assert connector.server == ("127.0.0.1", second.port)


async def test_reason_of_each_server_is_said_without_user_or_password(
    pristine_database_url: str, first: Forwarder
):
    port = closed_port()
    connector = connector_of(pristine_database_url, first, port)
    first.freeze()
    with pytest.raises(NoServer) as failure:
        await connector.connect()
    assert str(failure.value) == (
        f"127.0.0.1:{first.port} does not answer within 1 s; "
        f"127.0.0.1:{port} refuses connections: no server listens there"
    )


async def test_of_several_servers_only_one_that_can_be_written_to_is_used(
    pristine_database_url: str, first: Forwarder, second: Forwarder
):
    connector = connector_of(pristine_database_url, first, second)
    async with read_only(pristine_database_url):
        with pytest.raises(NoServer, match=r"is a standby or read-only; .* is a standby"):
            await connector.connect()
    await (await connector.connect()).close()


async def test_connections_over_tcp_are_kept_alive_by_both_ends(
    pristine_database_url: str, first: Forwarder
):
    database = await Database.open(address_of(pristine_database_url, first))
    async with database.connection() as connection:
        found = connection._transport.get_extra_info("socket")
        assert found.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
            assert found.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 15
    await database.close()
