"""The worker as a process of its own: it goes on with what requests have left undone, and answers nobody."""

from __future__ import annotations

import asyncio
import signal
from functools import partial

from gateway.background import run_jobs
from gateway.chain.extending import open_extender
from gateway.expiring.jobs import expire_everywhere
from gateway.http.structured_logging import configure_logging
from gateway.keys.model import Keys
from gateway.keys.opening import load_keys
from gateway.purchasing.opening import open_purchaser
from gateway.sealing.starting import require_keys
from gateway.settings import Settings
from gateway.storage.addresses import Addresses, migrate_or_explain, open_addresses, open_database
from gateway.watchdog import watchdog


def work(settings: Settings) -> None:
    """Run every job until SIGINT or SIGTERM; any number of workers may run beside each other and beside `serve`.

    Raises:
        EmbeddedServerFailed: our own PostgreSQL does not start.
        DatabaseUnavailable: the configured one cannot be used.
        InvalidSetting, KeysMissing: the keys are not those of the database.
    """
    configure_logging(settings.log_level)
    keys = load_keys(settings)
    with open_addresses(settings) as addresses:
        asyncio.run(_work(settings, addresses, keys))


async def _work(settings: Settings, addresses: Addresses, keys: Keys) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await migrate_or_explain(addresses)
    with watchdog(settings.worker_silence_seconds_max) as process_watchdog:
        process_watchdog.start()
        await _run_jobs(settings, addresses, keys, stop)


async def _run_jobs(
    settings: Settings, addresses: Addresses, keys: Keys, stop: asyncio.Event
) -> None:
    async with open_database(
        addresses.application_url,
        pool_size_max=settings.database_pool_size_max,
        lock_timeout_seconds=settings.lock_timeout_seconds,
        keys=keys,
    ) as database:
        await require_keys(database, keys)
        async with open_purchaser(settings, database) as purchaser:
            extender = open_extender(settings, database, keys)
            expire = partial(expire_everywhere, database)
            await run_jobs([purchaser.run_due, expire, extender.extend_due], stop)
