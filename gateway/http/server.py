"""Run the application under uvicorn."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp

from gateway.http.connection_watch import ConnectionLimits, ConnectionWatch
from gateway.http.lean_protocol import LeanHttpProtocol
from gateway.http.structured_logging import configure_logging

SHUTDOWN_TIMEOUT_SECONDS: Final = 30
# uvicorn looks every tenth of a second whether it has something to do.
TICKS_BETWEEN_SWEEPS: Final = 10
BACKLOG_MAX: Final = 2048
EXIT_STARTUP_FAILED: Final = 3
DEFAULT_LIMITS: Final = ConnectionLimits()


class AddressUnavailable(Exception):
    """The address to listen on cannot be had; the message is one line for a person."""


def bind_socket(host: str, port: int) -> socket.socket:
    """Take the address before anything else starts, so that a clash costs one line, not a start.

    Port 0 takes any free port; `getsockname()` tells which.

    Raises:
        AddressUnavailable: the port is in use, is privileged, or the host is not of this machine.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise AddressUnavailable(f"Cannot listen on {host}: {error.strerror}.") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG_MAX)
    except OSError as error:
        listener.close()
        raise AddressUnavailable(_explain(host, port, error)) from error
    return listener


def bind_sockets(host: str, port: int, count: int) -> list[socket.socket]:
    """Take the address for that many processes: a socket for each, among which the kernel shares out new connections.

    With one socket for all, whoever is awake takes most of the connections that arrive together, and keeps them. Only Linux
    shares out; elsewhere the one socket is returned again and again.

    Raises:
        AddressUnavailable: as `bind_socket`; two gateways never share a port by mistake.
    """
    first = bind_socket(host, port)
    if sys.platform != "linux" or count == 1:
        return [first] * count
    # Allowed only now: the first socket has shown that nobody else is there.
    first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listeners = [first]
    try:
        for _ in range(count - 1):
            listener = socket.socket(first.family, socket.SOCK_STREAM)
            listeners.append(listener)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            listener.bind(first.getsockname())
            listener.listen(BACKLOG_MAX)
    except OSError as error:
        for listener in listeners:
            listener.close()
        raise AddressUnavailable(_explain(host, port, error)) from error
    return listeners


class _Server(uvicorn.Server):
    """A server that says when it takes requests, and closes connections that are late."""

    def __init__(
        self, config: uvicorn.Config, watch: ConnectionWatch, on_started: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._watch = watch
        self._on_started = on_started

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_BETWEEN_SWEEPS == 0:
            self._watch.sweep()
        return await super().on_tick(counter)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()


def run_server(
    application: ASGIApp,
    listener: socket.socket,
    log_level: str,
    on_started: Callable[[], None] = lambda: None,
    limits: ConnectionLimits = DEFAULT_LIMITS,
) -> None:
    """Serve until SIGINT or SIGTERM, then let requests under way finish, for 30 seconds at most.

    `on_started` is called once requests are taken.
    Forwarded headers are not trusted, and uvicorn's own access log is off: we log requests.

    Raises:
        SystemExit: the application's lifespan failed to start.
    """
    configure_logging(log_level)
    server = make_server(application, on_started, limits)
    # After a graceful stop uvicorn raises SIGINT again, for programs that want to know.
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener])
    if not server.started:
        # The lifespan failed, and uvicorn has logged why.
        raise SystemExit(EXIT_STARTUP_FAILED)


def make_server(
    application: ASGIApp,
    on_started: Callable[[], None] = lambda: None,
    limits: ConnectionLimits = DEFAULT_LIMITS,
) -> uvicorn.Server:
    """Make a server that is not yet running."""
    watch = ConnectionWatch(limits, time.monotonic)
    return _Server(
        uvicorn.Config(
            application,
            access_log=False,
            log_config=None,
            proxy_headers=False,
            server_header=False,
            # Called as uvicorn calls the class.
            http=cast("type[asyncio.Protocol]", partial(LeanHttpProtocol, watch=watch)),
            ws="none",
            lifespan="on",
            timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_SECONDS,
        ),
        watch,
        on_started,
    )


def _explain(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is in use: stop what listens there, or choose another port."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs privileges: choose one above 1023."
    return f"Cannot listen on {host}:{port}: {error.strerror}."
