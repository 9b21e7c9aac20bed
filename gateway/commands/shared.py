"""What the commands have in common: the database, ids, and lines to print."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from gateway.ids import IdKind, decode_id
from gateway.settings import Settings
from gateway.storage.addresses import migrate_or_explain, open_addresses, open_database
from gateway.storage.database import Database

Result = TypeVar("Result")

TenantOption = Annotated[UUID, typer.Option("--tenant", help="The tenant's id.")]
OrganizationOption = Annotated[str, typer.Option("--organization", help="The organization: org_….")]


def with_database(
    work: Callable[[Database], Awaitable[Result]], *, may_create: bool = False
) -> Result:
    """Run `work` on the migrated database, which must be there unless `may_create`."""

    async def run(owner_url: str) -> Result:
        # As the application all the same, but who logged in may be the operator where that is called for.
        async with open_database(owner_url, pool_size_max=2) as database:
            return await work(database)

    with open_addresses(Settings.from_environment(), may_create=may_create) as addresses:
        asyncio.run(migrate_or_explain(addresses))
        return asyncio.run(run(addresses.owner_url))


def read_id(kind: IdKind, text: str, option: str) -> UUID:
    """Return the id that an option holds; another text is an error of usage."""
    value = decode_id(kind, text)
    if value is None:
        raise typer.BadParameter(f"must look like {kind.value}….", param_hint=option)
    return value


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(f"{line}\n")
