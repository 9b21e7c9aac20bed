"""Request-scoped loaders: many keys, one statement, whatever the page size. Never used inside a database transaction.

A fetcher is a function that takes a connection, the loaders, the keys and further arguments, and returns a mapping from key to
value. Keys that are asked for while nothing else can run are fetched together, and each only once a request; see `batches`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar
from uuid import UUID
from weakref import ref

from gateway.access import Caller
from gateway.grants.list_store import fetch_visible_grants
from gateway.grants.row import GrantRow
from gateway.ledger.assets import Asset
from gateway.storage.database import Connection, Database
from gateway.tenants.assets import load_assets, recall_asset
from resolvers.batches import FetchKeys, Loader, Reader

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")

Fetch: TypeAlias = Callable[
    Concatenate[Connection, "Loaders", Sequence[Key], Arguments], Awaitable[Mapping[Key, Value]]
]


class Loaders:
    """The loaders of one request, each made when first used; and the assets it has met."""

    def __init__(self, database: Database, caller: Caller) -> None:
        """Take where to read and on whose behalf."""
        self.database = database
        self.caller = caller
        self.assets: dict[UUID, Asset] = {}
        # Versions of rewards as their GraphQL types: many grants of a list have the same ones.
        self.shown_versions: dict[UUID, Any] = {}
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
            # Weakly: the loaders are not to hold themselves, so that they go with the request.
            reference = ref(self)

            def begin() -> FetchKeys[Key, Value]:
                loaders = reference()
                assert loaders is not None  # noqa: S101 - whoever loads a key holds them
                return lambda connection, keys: fetch(
                    connection, loaders, keys, *arguments, **named
                )

            self._loaders[name] = Loader(self._reader, begin)
        return self._loaders[name]

    @property
    def grants(self) -> Loader[UUID, GrantRow]:
        """Return the loader of grants that the caller may see, by id."""
        return self.using(_fetch_grants)

    @property
    def known_assets(self) -> Loader[UUID, Asset]:
        """Return the loader of assets, by id."""
        return self.using(fetch_assets)

    def find_asset(self, asset_id: UUID) -> Asset | None:
        """Return an asset that the request or the process has met before, or None; asks nobody."""
        asset = self.assets.get(asset_id)
        if asset is None:
            asset = recall_asset(self.caller.tenant_id, asset_id)
            if asset is not None:
                self.assets[asset_id] = asset
        return asset

    def knows_assets(self, asset_ids: Iterable[UUID]) -> bool:
        """Tell whether `assets` has these, after taking over what the process has met before; asks nobody."""
        return all(map(self.find_asset, asset_ids))

    def with_asset(
        self, asset_id: UUID, present: Callable[[Asset], Value]
    ) -> Value | Awaitable[Value]:
        """Return what is presented of an asset: at once if the process has met it before, else to be awaited."""
        asset = self.find_asset(asset_id)
        return self._load_with_asset(asset_id, present) if asset is None else present(asset)

    async def _load_with_asset(self, asset_id: UUID, present: Callable[[Asset], Value]) -> Value:
        asset = await self.known_assets.load(asset_id)
        assert asset is not None  # noqa: S101 - foreign keys and the ledger's entries hold it
        return present(asset)

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
) -> Mapping[UUID, GrantRow]:
    return await fetch_visible_grants(connection, loaders.caller, ids)
