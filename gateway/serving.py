"""Serve: take the address, find the database, migrate, seed the demo in development, and answer until told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from types import FrameType

from gateway.app import create_application
from gateway.demo.seed import Demo, ensure_demo
from gateway.garbage import collect_seldom
from gateway.http.server import bind_socket, run_server
from gateway.settings import Settings
from gateway.storage.addresses import Addresses, migrate_or_explain, open_addresses
from gateway.storage.database import Database


def serve(settings: Settings) -> None:
    """Run the gateway until SIGINT or SIGTERM, and leave with the database stopped if it is our own.

    Raises:
        AddressUnavailable: the port is taken; nothing else was begun.
        EmbeddedServerFailed: our own PostgreSQL does not start.
        DatabaseUnavailable: the configured one cannot be used.
    """
    signal.signal(signal.SIGTERM, _leave)
    listener = bind_socket(settings.host, settings.port)
    try:
        with open_addresses(settings) as addresses:
            demo = asyncio.run(_prepare(settings, addresses))
            _greet(settings, listener.getsockname()[1], demo)
            application = create_application(settings, addresses.application_url)
            collect_seldom()
            run_server(application, listener, settings.log_level)
    finally:
        listener.close()


async def _prepare(settings: Settings, addresses: Addresses) -> Demo | None:
    await migrate_or_explain(addresses)
    if not settings.development:
        return None
    database = await Database.open(addresses.application_url, pool_size_max=2)
    try:
        return await ensure_demo(database, settings.data_dir)
    finally:
        await database.close()


def _greet(settings: Settings, port: int, demo: Demo | None) -> None:
    """Tell a person where to look; tokens are shown in development only."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    lines = [f"GraphQL:  http://{host}:{port}/graphql"]
    if settings.development:
        lines.append(f"GraphiQL: http://{host}:{port}/graphiql")
    if demo is not None:
        lines += [
            f"Demo partner token: {demo['partnerToken']}",
            f"Demo member token:  {demo['memberToken']}",
            f"Demo ids:           {settings.data_dir / 'demo.json'}",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _leave(signal_number: int, _: FrameType | None) -> None:
    # Raised again by uvicorn after its graceful stop; an exception lets every block on the way be left in order.
    raise SystemExit(0 if signal_number == signal.SIGTERM else 1)
