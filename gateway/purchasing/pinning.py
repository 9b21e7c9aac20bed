"""Connections to permitted addresses only: a name is resolved once, judged, and that very address is connected to.

Whoever owns a vendor's name can point it at the gateway's own network at any moment (DNS rebinding). So the judgment is made
where the connection is made, and TLS still proves the name.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Sequence
from functools import cache

import httpcore

from gateway.vendors.addresses import Address, AddressPolicy, read_literal


@cache
def default_ssl_context() -> ssl.SSLContext:
    """Return the TLS settings with the trusted certificates, which are read once: reading them takes a tenth of a start."""
    return httpcore.default_ssl_context()


class PinnedBackend(httpcore.AsyncNetworkBackend):
    """Opens connections for the client's pool."""

    def __init__(self, policy: AddressPolicy) -> None:
        """Take which addresses may be connected to."""
        self._policy = policy
        self._backend = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's parameter
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address of the host, if all of its addresses are permitted.

        Raises:
            httpcore.ConnectError: the name is unknown, or one of its addresses is not permitted.
            httpcore.ConnectTimeout: it took too long.
        """
        try:
            async with asyncio.timeout(timeout):
                addresses = await _resolve(host, port)
        except TimeoutError as error:
            raise httpcore.ConnectTimeout from error
        except OSError as error:
            message = f"the name cannot be resolved: {error}"
            raise httpcore.ConnectError(message) from error
        if not addresses or not all(map(self._policy.permits, addresses)):
            message = "the address is not permitted"
            raise httpcore.ConnectError(message)
        return await self._backend.connect_tcp(
            str(addresses[0]), port, timeout, local_address, socket_options
        )

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the interface's parameter
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Refuse: vendors are elsewhere.

        Raises:
            httpcore.ConnectError: always.
        """
        del path, timeout, socket_options
        message = "vendors are not called over local sockets"
        raise httpcore.ConnectError(message)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)


async def _resolve(host: str, port: int) -> Sequence[Address]:
    literal = read_literal(host)
    if literal is not None:
        return [literal]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # An IPv6 address may carry the name of a network interface.
    return [ipaddress.ip_address(str(item[4][0]).partition("%")[0]) for item in found]
