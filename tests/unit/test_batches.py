"""What a request asks for at one moment is read together: a batch for each fetcher, one after the other on one connection."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import pytest

from gateway.access import Caller
from gateway.errors import Overloaded
from gateway.storage.database import Connection, Database
from resolvers.batches import FetchedBatch, Loader, Reader
from resolvers.loaders import Loaders


@dataclass
class Source:
    """Stands for the database: counts what is borrowed, and keeps what is asked for."""

    borrowed: int = 0
    is_lent: bool = False
    is_busy: bool = False
    batches: list[tuple[str, list[int]]] = field(default_factory=list)
    running: int = 0
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[None]:
        """Lend the only connection, unless it is busy."""
        if self.is_busy:
            raise Overloaded("busy")
        assert not self.is_lent
        self.borrowed += 1
        self.is_lent = True
        try:
            yield
        finally:
            self.is_lent = False

    def loader(self, reader: Reader, name: str) -> Loader[int, int]:
        """Return a loader of squares that knows no zero, and fails at 13."""

        async def fetch(_: Connection, keys: Sequence[int]) -> Mapping[int, int]:
            self.running += 1
            assert self.is_lent
            assert self.running == 1
            self.batches.append((name, list(keys)))
            self.has_begun.set()
            await asyncio.sleep(0)
            self.running -= 1
            if 13 in keys:
                raise LookupError(name)
            return {key: key * key for key in keys if key}

        return Loader(reader, lambda: FetchedBatch(fetch))


@pytest.fixture
def source() -> Source:
    return Source()


@pytest.fixture
def reader(source: Source) -> Reader:
    return Reader(cast(Database, source))


async def test_keys_of_one_moment_are_one_batch_for_each_fetcher(
    source: Source, reader: Reader
) -> None:
    squares, others = source.loader(reader, "squares"), source.loader(reader, "others")

    async def ask(loader: Loader[int, int], key: int) -> int | None:
        return await loader.load(key)

    asked = [ask(squares, 2), ask(others, 3), ask(squares, 0), ask(squares, 2), ask(others, 5)]
    assert await asyncio.gather(*asked) == [4, 9, None, 4, 25]
    assert source.batches == [("squares", [2, 0]), ("others", [3, 5])]
    assert source.borrowed == 1


async def test_what_was_loaded_is_not_read_again(source: Source, reader: Reader) -> None:
    squares = source.loader(reader, "squares")
    assert await squares.load_many([1, 2]) == [1, 4]
    assert await squares.load_many([2, 3]) == [4, 9]
    assert source.batches == [("squares", [1, 2]), ("squares", [3])]
    assert source.borrowed == 2


async def test_what_is_asked_for_meanwhile_is_read_on_the_same_connection(
    source: Source, reader: Reader
) -> None:
    squares, others = source.loader(reader, "squares"), source.loader(reader, "others")

    async def ask_twice() -> int | None:
        await squares.load(2)
        return await others.load(7)

    asked: list[Awaitable[int | None]] = [squares.load(4), others.load(3), ask_twice()]
    assert await asyncio.gather(*asked) == [16, 9, 49]
    assert source.batches == [("squares", [4, 2]), ("others", [3]), ("others", [7])]
    assert source.borrowed == 1


async def test_failing_batch_fails_alone(source: Source, reader: Reader) -> None:
    squares, others = source.loader(reader, "squares"), source.loader(reader, "others")
    asked = [squares.load(2), squares.load(13), others.load(3)]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results] == [LookupError, LookupError, int]
    assert not source.is_lent
    # A failure is not asked for again, as long as the request lasts.
    with pytest.raises(LookupError):
        await squares.load(2)
    assert await squares.load(5) == 25


async def test_without_a_connection_everybody_is_told(source: Source, reader: Reader) -> None:
    squares, others = source.loader(reader, "squares"), source.loader(reader, "others")
    source.is_busy = True
    results = await asyncio.gather(squares.load(2), others.load(3), return_exceptions=True)
    assert [type(result) for result in results] == [Overloaded, Overloaded]
    source.is_busy = False
    assert await others.load(4) == 16
    assert source.batches == [("others", [4])]


async def test_nothing_is_read_until_somebody_waits(source: Source, reader: Reader) -> None:
    squares, others = source.loader(reader, "squares"), source.loader(reader, "others")
    early, late = squares.load(2), squares.load(3)
    await asyncio.sleep(0.01)
    assert source.batches == []
    assert await late == 9
    assert source.batches == [("squares", [2, 3])]
    assert await early == 4
    assert await others.load(4) == 16


async def test_who_has_asked_for_all_waits_no_turn_for_others(
    source: Source, reader: Reader
) -> None:
    squares = source.loader(reader, "squares")

    async def ask_late() -> int | None:
        return await squares.load(3)

    late = asyncio.create_task(ask_late())
    assert await squares.load(2).come() == 4
    assert await late == 9
    assert source.batches == [("squares", [2]), ("squares", [3])]


@pytest.mark.parametrize("reads_itself", [True, False])
async def test_what_a_cancelled_reader_leaves_is_read_by_who_still_waits(
    source: Source, reader: Reader, reads_itself: bool
) -> None:
    squares, others = source.loader(reader, "squares"), source.loader(reader, "others")
    promise = squares.load(2)
    reading = asyncio.create_task(promise.come()) if reads_itself else None

    async def ask(loader: Loader[int, int], key: int) -> int | None:
        return await loader.load(key)

    waiting = [asyncio.create_task(ask(squares, 3)), asyncio.create_task(ask(others, 5))]
    await source.has_begun.wait()
    source.running = 0
    cancelled = reading or reader._task
    assert cancelled is not None
    cancelled.cancel()
    assert await asyncio.gather(*waiting) == [9, 25]
    assert cancelled.cancelled()
    assert source.batches[0] == source.batches[1]
    assert len(source.batches) == (4 if reads_itself else 3)
    assert not source.is_lent
    # What it had asked for is there for whoever asks again.
    assert await promise == 4


async def test_each_goes_on_while_the_rest_is_read(source: Source, reader: Reader) -> None:
    """Or the first who waits would ask for what it needs next after all others have."""
    squares, others = source.loader(reader, "squares"), source.loader(reader, "others")
    cubes = source.loader(reader, "cubes")

    async def ask_on(key: int) -> int | None:
        await squares.load(key)
        return await cubes.load(key)

    async def ask_once() -> int | None:
        return await others.load(5)

    assert list(await asyncio.gather(ask_on(2), ask_on(3), ask_once())) == [4, 9, 25]
    assert source.batches == [("squares", [2, 3]), ("others", [5]), ("cubes", [2, 3])]
    assert source.borrowed == 1


async def test_loaders_go_with_their_request(source: Source) -> None:
    async def fetch(
        _connection: Connection, loaders: Loaders, keys: Sequence[int], factor: int
    ) -> Mapping[int, int]:
        assert loaders.caller is None
        return {key: key * factor for key in keys}

    loaders = Loaders(cast(Database, source), cast(Caller, None))
    assert await loaders.using(fetch, 3).load(2) == 6
    assert loaders.using(fetch, 3) is loaders.using(fetch, 3)
    # At once, and not when the garbage collector comes by: pages would pile up until then.
    seen = weakref.ref(loaders)
    gc.disable()
    try:
        del loaders
        assert seen() is None
    finally:
        gc.enable()
