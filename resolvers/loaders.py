"""Request-scoped loaders: many keys, one statement, whatever the page size. Never used inside a database transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import TypeVar

from strawberry.dataloader import DataLoader

from gateway.access import Caller
from gateway.storage.database import Connection, Database

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")
Selection = TypeVar("Selection", bound=Hashable)


class Loaders:
    """The loaders of one request, each made when first used."""

    def __init__(self, database: Database, caller: Caller) -> None:
        """Take where to read and on whose behalf."""
        self.database = database
        self.caller = caller

    def by_key(
        self, fetch: Callable[[Connection, Sequence[Key]], Awaitable[Mapping[Key, Value]]]
    ) -> DataLoader[Key, Value | None]:
        """Make a loader over a store function that takes many keys; None for a key that it does not return."""

        async def load(keys: list[Key]) -> list[Value | None]:
            async with self.database.connection() as connection:
                found = await fetch(connection, keys)
            return [found.get(key) for key in keys]

        return DataLoader(load)
