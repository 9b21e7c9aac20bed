"""`gateway keys`: which master keys seal the database's values, and the change to another one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import typer

from gateway.commands.shared import say
from gateway.keys.model import Keys
from gateway.keys.opening import load_keys
from gateway.sealing.rotating import count_by_key, reseal_all
from gateway.sealing.sealed_store import OwnerConnection, connect_owner
from gateway.sealing.starting import require_keys
from gateway.settings import Settings
from gateway.storage.addresses import migrate_or_explain, open_addresses, open_database

keys_application = typer.Typer(
    help="Master keys, which coupon codes and vendors' secrets are sealed with.",
    no_args_is_help=True,
)


@keys_application.command("list")
def keys_list() -> None:
    """Show the configured keys and those in use by their ids, with how many values each has sealed."""

    async def work(connection: OwnerConnection, keys: Keys) -> None:
        counts = await count_by_key(connection)
        for key_id in sorted({*counts, *keys.ids}, key=lambda each: each != keys.current_id):
            state = "configured" if key_id in keys.ids else "MISSING"
            state = "current" if key_id == keys.current_id else state
            sealed = ", ".join(f"{count} {name}" for name, count in counts.get(key_id, {}).items())
            say(f"{key_id}  {state:10}  {sealed or 'nothing'}")

    _with_owner(work, must_have_all=False)


@keys_application.command("rotate")
def keys_rotate() -> None:
    """Seal everything anew with the first key of SECRET_KEYS; every gateway must have it first, and the old ones behind it."""

    async def work(connection: OwnerConnection, keys: Keys) -> None:
        await reseal_all(connection, keys, lambda name, count: say(f"{count:8}  {name}"))
        say(f"Everything is sealed with {keys.current_id}; other keys can be taken away.")

    _with_owner(work, must_have_all=True)


def _with_owner(
    work: Callable[[OwnerConnection, Keys], Awaitable[None]], *, must_have_all: bool
) -> None:
    settings = Settings.from_environment()
    keys = load_keys(settings)

    async def run(owner_url: str) -> None:
        if must_have_all:
            async with open_database(owner_url, pool_size_max=1) as database:
                await require_keys(database, keys)
        connection = await connect_owner(owner_url)
        try:
            await work(connection, keys)
        finally:
            await connection.close()

    with open_addresses(settings, may_create=False) as addresses:
        asyncio.run(migrate_or_explain(addresses))
        asyncio.run(run(addresses.owner_url))
