"""Many keys, one statement: what a request's resolvers ask for at the same moment is read together, on one connection.

Keys that are asked for while nothing else can run make one batch for each fetcher, and each key is fetched only once. The
batches of a request run one after the other on a connection that is borrowed once for all of them (decision 0041); those
that are questions are asked in one statement (decision 0045).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

from gateway.promises import Promise
from gateway.storage.database import Connection, Database
from gateway.storage.union_store import Question, ask_together, may_join

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

FetchKeys: TypeAlias = Callable[[Connection, Sequence[Key]], Awaitable[Mapping[Key, Value]]]
AskKeys: TypeAlias = "Callable[[Sequence[Key]], Question[Mapping[Key, Value]]]"
AnyBatch: TypeAlias = "FetchedBatch[Any, Any] | AskedBatch[Any, Any]"


class Batch(Generic[Key, Value]):
    """Keys of one fetcher, and what was promised for them."""

    def __init__(self) -> None:
        """Start empty."""
        self.promises: dict[Key, Promise[Value | None]] = {}
        # Too late for more keys.
        self.is_closed = False

    def answer(self, found: Mapping[Key, Value]) -> None:
        """Keep the promises: None for a key that was left out."""
        for key, promise in self.promises.items():
            promise.keep(found.get(key))

    def fail(self, error: Exception) -> None:
        """Raise the error in everybody who waits."""
        self.is_closed = True
        for promise in self.promises.values():
            promise.fail(error)

    def take_keys(self) -> list[Key]:
        """Return the keys; from now on it is too late for more."""
        self.is_closed = True
        return list(self.promises)


class FetchedBatch(Batch[Key, Value]):
    """Keys whose values a function fetches, alone on the connection."""

    def __init__(self, fetch: FetchKeys[Key, Value]) -> None:
        """Start empty."""
        super().__init__()
        self._fetch = fetch

    async def read(self, connection: Connection) -> None:
        """Fetch the values."""
        self.answer(await self._fetch(connection, self.take_keys()))


class AskedBatch(Batch[Key, Value]):
    """Keys whose values one question answers, which can be asked with others."""

    def __init__(self, ask: AskKeys[Key, Value]) -> None:
        """Start empty."""
        super().__init__()
        self._ask = ask

    def question(self) -> Question[Mapping[Key, Value]]:
        """Return what to ask for the keys."""
        return self._ask(self.take_keys())


class Reader:
    """Runs the batches of one request. Never used inside a database transaction.

    Nothing is read until somebody waits.
    """

    def __init__(self, database: Database) -> None:
        """Take where to read."""
        self._database = database
        self._waiting: deque[AnyBatch] = deque()
        self._is_reading = False
        self._task: asyncio.Task[None] | None = None
        # Those who wait: woken after each statement, and when the reading has ended, however that was.
        self._sleepers: list[asyncio.Future[None]] = []

    def enqueue(self, batch: AnyBatch) -> None:
        """Read a batch when somebody waits, or as soon as what is being read has come."""
        self._waiting.append(batch)

    async def bring(self, all_is_asked: bool) -> None:
        """Wait until something has been read.

        If all has been asked for, whoever waits reads for all. Else a task does, so that each goes on with what it waits for
        while the rest is read.
        """
        if not self._is_reading:
            # What is not there, and is not being read, waits to be: else nothing would ever end.
            assert self._waiting  # noqa: S101 - see above
            self._is_reading = True
            if all_is_asked:
                try:
                    await self._read_all()
                finally:
                    self._stop()
                return
            self._task = asyncio.get_running_loop().create_task(self._read_later())
            self._task.add_done_callback(self._stop)
        sleeper = asyncio.get_running_loop().create_future()
        self._sleepers.append(sleeper)
        await sleeper

    async def _read_later(self) -> None:
        # One turn of the loop later: resolvers that are about to run may ask for more.
        await asyncio.sleep(0)
        await self._read_all()

    async def _read_all(self) -> None:
        while self._waiting:
            await self._read_on_one_connection()

    def _stop(self, _: object = None) -> None:
        self._task = None
        self._is_reading = False
        self._wake()

    async def _read_on_one_connection(self) -> None:
        """Read what waits until all is done or something fails, which fails alone; without a connection, all fail."""
        reading = self._waiting
        try:
            async with self._database.connection() as connection:
                while self._waiting:
                    reading = deque([self._waiting.popleft()])
                    await self._read(connection, reading)
                    self._wake()
        except Exception as error:  # noqa: BLE001 - it is raised in whoever asked
            while reading:
                reading.popleft().fail(error)
        except BaseException:
            # Who read was cancelled: another who waits reads it again.
            if reading is not self._waiting:
                self._waiting.extendleft(reversed(reading))
            raise

    async def _read(self, connection: Connection, reading: deque[AnyBatch]) -> None:
        """Read one batch; with a question those that wait and can be asked with it, which are put into `reading`."""
        batch = reading[0]
        if isinstance(batch, FetchedBatch):
            await batch.read(connection)
            return
        questions = [batch.question()]
        for other in [other for other in self._waiting if isinstance(other, AskedBatch)]:
            question = other.question()
            if may_join([*questions, question]):
                questions.append(question)
                reading.append(other)
                self._waiting.remove(other)
        answers = await ask_together(connection, questions)
        for batch, answer in zip(reading, answers, strict=True):
            batch.answer(answer)

    def _wake(self) -> None:
        sleepers, self._sleepers = self._sleepers, []
        for sleeper in sleepers:
            if not sleeper.done():
                sleeper.set_result(None)


class Loader(Generic[Key, Value]):
    """Answers keys from one fetcher, each fetched once."""

    def __init__(self, reader: Reader, begin: Callable[[], AnyBatch]) -> None:
        """Take what runs the batches, and what makes the next one."""
        self._reader = reader
        self._begin = begin
        self._promises: dict[Key, Promise[Value | None]] = {}
        self._batch: AnyBatch | None = None

    def load(self, key: Key) -> Promise[Value | None]:
        """Return what becomes the key's value, or None if it has none."""
        promise = self._promises.get(key)
        if promise is None:
            promise = self._promises[key] = Promise(self._reader.bring)
            if self._batch is None or self._batch.is_closed:
                self._batch = self._begin()
                self._reader.enqueue(self._batch)
            self._batch.promises[key] = promise
        return promise

    async def load_many(self, keys: Iterable[Key]) -> list[Value | None]:
        """Return the values of these keys, in order."""
        return [await promise for promise in [self.load(key) for key in keys]]
