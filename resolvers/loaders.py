"""Request-scoped loaders: many keys, one statement, whatever the page size. Never used inside a database transaction.

A fetcher is a function that takes a connection, the loaders, the keys and further arguments, and returns a mapping from key to
value. Keys that are asked for while nothing else can run are fetched together, and each only once a request; see `batches`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar
from uuid import UUID
from weakref import ref

from gateway.access import Caller
from gateway.grants.list_store import fetch_visible_grants
from gateway.grants.row import GrantRow
from gateway.ids import to_uuid
from gateway.ledger.asset_scope_store import AssetScope
from gateway.ledger.assets import Asset
from gateway.promises import Promise
from gateway.storage.database import Connection, Database
from gateway.storage.union_store import Question
from gateway.tenants.asset_rights import asset_scope_of
from gateway.tenants.assets import load_assets, recall_asset
from resolvers.batches import AnyBatch, AskedBatch, FetchedBatch, Loader, Reader

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Arguments = ParamSpec("Arguments")

Fetch: TypeAlias = Callable[
    Concatenate[Connection, "Loaders", Sequence[Key], Arguments], Awaitable[Mapping[Key, Value]]
]
Ask: TypeAlias = Callable[
    Concatenate["Loaders", Sequence[Key], Arguments], "Question[Mapping[Key, Value]]"
]


class Loaders:
    """The loaders of one request, each made when first used; and the assets it has met."""

    def __init__(self, database: Database, caller: Caller) -> None:
        """Take where to read and on whose behalf."""
        self.database = database
        self.caller = caller
        self.assets: dict[UUID, Asset] = {}
        # Those that were looked up by their id as JSON has it: the items of a list have few different ones.
        self.assets_by_text: dict[str, Asset] = {}
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
        if (loader := self._loaders.get(name)) is not None:
            return loader
        # Weakly: the loaders are not to hold themselves, so that they go with the request.
        reference = ref(self)

        def fetch_keys(
            connection: Connection, keys: Sequence[Key]
        ) -> Awaitable[Mapping[Key, Value]]:
            return fetch(connection, _held(reference), keys, *arguments, **named)

        return self._keep(name, lambda: FetchedBatch(fetch_keys))

    def asking(
        self, ask: Ask[Key, Arguments, Value], *arguments: Arguments.args, **named: Arguments.kwargs
    ) -> Loader[Key, Value]:
        """Return the loader over a function that says what to ask: what is asked at one moment is one statement."""
        name = (ask, arguments, tuple(named.items()))
        if (loader := self._loaders.get(name)) is not None:
            return loader
        reference = ref(self)

        def ask_keys(keys: Sequence[Key]) -> Question[Mapping[Key, Value]]:
            return ask(_held(reference), keys, *arguments, **named)

        return self._keep(name, lambda: AskedBatch(ask_keys))

    def _keep(self, name: Hashable, begin: Callable[[], AnyBatch]) -> Loader[Any, Any]:
        loader = self._loaders[name] = Loader(self._reader, begin)
        return loader

    @cached_property
    def asset_scope(self) -> AssetScope | None:
        """Return of which assets the caller sees balances and entries; None for all."""
        return asset_scope_of(self.caller)

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

    def find_asset_by_text(self, asset_id: str) -> Asset | None:
        """Return an asset that the request or the process has met before, by its id as JSON has it; asks nobody."""
        asset = self.assets_by_text.get(asset_id)
        if asset is None and (asset := self.find_asset(to_uuid(asset_id))) is not None:
            self.assets_by_text[asset_id] = asset
        return asset

    def with_asset(
        self, asset_id: UUID, present: Callable[[Asset], Value]
    ) -> Value | Promise[Value]:
        """Return what is presented of an asset: at once if the process has met it before, else when it has been read."""
        asset = self.find_asset(asset_id)
        if asset is not None:
            return present(asset)
        # Foreign keys and the ledger's entries hold it.
        return self.known_assets.load(asset_id).then(lambda _: present(self.assets[asset_id]))

    def with_asset_by_text(
        self, asset_id: str, present: Callable[[Asset], Value]
    ) -> Value | Promise[Value]:
        """Return what is presented of an asset, by its id as JSON has it; as `with_asset` does."""
        asset = self.find_asset_by_text(asset_id)
        return present(asset) if asset is not None else self.with_asset(to_uuid(asset_id), present)

    def with_assets(
        self, asset_ids: Iterable[UUID], present: Callable[[], Value | Promise[Value]]
    ) -> Value | Promise[Value]:
        """Return what is presented when `assets` has these: at once if the process has met them before, else when they have been read."""
        unknown = [asset_id for asset_id in asset_ids if self.find_asset(asset_id) is None]
        if not unknown:
            return present()
        promises = [self.known_assets.load(asset_id) for asset_id in unknown]

        def wait(number: int) -> Value | Promise[Value]:
            if number == len(promises):
                return present()
            return promises[number].then(lambda _: wait(number + 1))

        return wait(0)

    async def learn_assets(self, connection: Connection, asset_ids: Iterable[UUID]) -> None:
        """Put these assets into `assets`; one round trip if some are new to this process, else none."""
        missing = set(asset_ids) - self.assets.keys()
        if missing:
            self.assets |= await load_assets(connection, self.caller.tenant_id, missing)


def _held(reference: ref[Loaders]) -> Loaders:
    loaders = reference()
    assert loaders is not None  # noqa: S101 - the request holds them as long as anybody waits
    return loaders


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
