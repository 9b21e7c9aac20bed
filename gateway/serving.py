"""Serve: take the address, find the database, migrate, seed the demo in development, and answer until told to stop.

All but the answering is done once, whatever the number of processes that answer.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import Iterable, Sequence
from types import FrameType

from gateway.app import CONNECTIONS_BESIDE_POOL, create_application
from gateway.demo.seed import Demo, ensure_demo
from gateway.garbage import collect_seldom
from gateway.heartbeats import beat_forever
from gateway.http.connection_watch import ConnectionLimits
from gateway.http.server import bind_sockets, run_server
from gateway.http.structured_logging import configure_logging
from gateway.keys.model import Keys
from gateway.keys.opening import load_keys
from gateway.sealing.starting import require_keys
from gateway.settings import InvalidSetting, Settings
from gateway.storage.addresses import Addresses, migrate_or_explain, open_addresses, open_database
from gateway.storage.embedded_server import CONNECTIONS_MAX
from gateway.supervising import Worker, supervise
from gateway.watchdog import watchdog

# For the commands of the command line, and what PostgreSQL keeps for its superuser.
CONNECTIONS_KEPT = 10


def serve(settings: Settings) -> None:
    """Run the gateway until SIGINT or SIGTERM, and leave with the database stopped if it is our own.

    Raises:
        AddressUnavailable: the port is taken; nothing else was begun.
        EmbeddedServerFailed: our own PostgreSQL does not start.
        DatabaseUnavailable: the configured one cannot be used.
        InvalidSetting: our own has fewer connections than the processes may take, or there are no keys.
        KeysMissing: values of the database are sealed with other keys.
        WorkersFailed: of several processes some die before they can serve.
    """
    _check_connections(settings)
    keys = load_keys(settings)
    signal.signal(signal.SIGTERM, _leave)
    listeners = bind_sockets(settings.host, settings.port, settings.workers)
    try:
        with open_addresses(settings) as addresses:
            demo = asyncio.run(_prepare(settings, addresses, keys))
            _greet(settings, listeners[0].getsockname()[1], demo)
            _answer(settings, addresses.application_url, listeners)
    finally:
        _close(listeners)


def _check_connections(settings: Settings) -> None:
    limit = CONNECTIONS_MAX - CONNECTIONS_KEPT
    needed = settings.workers * (settings.database_pool_size_max + CONNECTIONS_BESIDE_POOL)
    if settings.database_url is None and needed > limit:
        raise InvalidSetting(
            f"WORKERS × (DATABASE_POOL_SIZE_MAX + {CONNECTIONS_BESIDE_POOL})",
            f"must be at most {limit} with the embedded PostgreSQL, which has {CONNECTIONS_MAX} connections",
        )


def _answer(settings: Settings, application_url: str, listeners: Sequence[socket.socket]) -> None:
    """Serve in this process if one is enough, else in several: the schema is built before they part."""
    worker_number = 0

    # The place is kept when a process is replaced, so that the jobs go on.
    application = create_application(
        settings, application_url, runs_jobs=lambda: worker_number == 0
    )
    limits = ConnectionLimits(
        connections_max=settings.connections_max,
        head_timeout_seconds=settings.head_timeout_seconds,
        body_timeout_seconds=settings.body_timeout_seconds,
        reading_timeout_seconds=settings.body_timeout_seconds,
    )
    # Before processes part, so that they share what is set aside: the collector does not write to it.
    collect_seldom()
    if settings.workers == 1:
        # Several processes have one that watches them; this one has nobody.
        with watchdog(settings.worker_silence_seconds_max) as process_watchdog:
            run_server(
                application, listeners[0], settings.log_level, process_watchdog.start, limits
            )
        return

    def work(worker: Worker) -> None:
        nonlocal worker_number
        worker_number = worker.number
        listener = listeners[worker_number]
        # One that stays open here would go on taking connections for another that has stopped.
        _close(other for other in listeners if other is not listener)

        def on_started() -> None:
            worker.report_ready()
            beat_forever(worker.beat)

        run_server(application, listener, settings.log_level, on_started, limits)

    configure_logging(settings.log_level)
    supervise(
        work,
        settings.workers,
        on_stop=lambda: _close(listeners),
        silence_seconds_max=settings.worker_silence_seconds_max,
    )


def _close(listeners: Iterable[socket.socket]) -> None:
    for listener in listeners:
        listener.close()


async def _prepare(settings: Settings, addresses: Addresses, keys: Keys) -> Demo | None:
    await migrate_or_explain(addresses)
    # Tries the application's own login, too, so that one that is wrong costs a line.
    async with open_database(addresses.application_url, pool_size_max=2, keys=keys) as database:
        await require_keys(database, keys)
    if not settings.development:
        return None
    # Founding a tenant is the operator's: the application's login may not.
    async with open_database(addresses.owner_url, pool_size_max=2, keys=keys) as database:
        return await ensure_demo(database, settings.data_dir)


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
