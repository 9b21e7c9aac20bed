"""Request-scoped loaders: many keys, one statement, whatever the page size. Never used inside a database transaction.

A fetcher is a function that takes a connection, the loaders, the keys and further arguments, and returns a mapping from key to
value. Keys that are asked for while nothing else can run are fetched together, and each only once a request; see `batches`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar
from uuid import UUID

from gateway.access import Caller
from gateway.grants.benefits import assets_of
from gateway.grants.list_store import fetch_visible_grants
from gateway.grants.record import GrantRecord
from gateway.ledger.assets import Asset
from gateway.rewards.model import Reward
from gateway.storage.database import Connection, Database
from gateway.tenants.assets import load_assets, recall_assets
from resolvers.batches import Loader, Reader

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")

Fetch: TypeAlias = Callable[
    Concatenate[Connection, "Loaders", Sequence[Key], Arguments], Awaitable[Mapping[Key, Value]]
]


class Loaders:
    """The loaders of one request, each made when first used; and the assets and reward versions it has met."""

    def __init__(self, database: Database, caller: Caller) -> None:
        """Take where to read and on whose behalf."""
        self.database = database
        self.caller = caller
        self.assets: dict[UUID, Asset] = {}
        self.versions: dict[UUID, Reward] = {}
        self._reader = Reader(database)
        self._loaders: dict[Hashable, Loader[Any, Any]] = {}

    def using(
        self,
        fetch: Fetch[Key, Arguments, Value],
        *arguments: Arguments.args,
        **named: Arguments.kwargs,
    ) -> Loader[Key, Value]:
        """Return the loader over a fetcher with these arguments; it answers None for a key that the fetcher leaves out.

        Fields with the same arguments share a loader, so that a page within a page is one statement too.
        """
        name = (fetch, arguments, tuple(named.items()))
        if name not in self._loaders:

            def fetch_keys(
                connection: Connection, keys: Sequence[Key]
            ) -> Awaitable[Mapping[Key, Value]]:
                return fetch(connection, self, keys, *arguments, **named)

            self._loaders[name] = Loader(self._reader, fetch_keys)
        return self._loaders[name]

    @property
    def grants(self) -> Loader[UUID, GrantRecord]:
        """Return the loader of grants that the caller may see, by id."""
        return self.using(_fetch_grants)

    @property
    def known_assets(self) -> Loader[UUID, Asset]:
        """Return the loader of assets, by id."""
        return self.using(fetch_assets)

    def knows_assets(self, asset_ids: set[UUID]) -> bool:
        """Tell whether `assets` has these, after taking over what the process has seen before; asks nobody."""
        missing = asset_ids - self.assets.keys()
        self.assets |= recall_assets(self.caller.tenant_id, missing)
        return missing <= self.assets.keys()

    async def learn_assets(self, connection: Connection, asset_ids: Iterable[UUID]) -> None:
        """Put these assets into `assets`; one round trip if some are new to this process, else none."""
        missing = set(asset_ids) - self.assets.keys()
        if missing:
            self.assets |= await load_assets(connection, self.caller.tenant_id, missing)


async def fetch_assets(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, Asset]:
    """Return the assets of these ids, and remember them for the request."""
    await loaders.learn_assets(connection, ids)
    return loaders.assets


async def _fetch_grants(
    connection: Connection, loaders: Loaders, ids: Sequence[UUID]
) -> Mapping[UUID, GrantRecord]:
    grants = await fetch_visible_grants(connection, loaders.caller, ids)
    await loaders.learn_assets(connection, assets_of(grants.values()))
    return grants
