"""What a connection sends ahead of a statement or behind it, in the same packet, and how the server's replies to that are kept from the driver.

asyncpg does one exchange at a time: a statement, then the server's replies up to "ready for query". Here BEGIN goes ahead of a statement and
COMMIT behind one. The sieve stands in for the driver as the transport's protocol for as long as replies to them are due, takes those
out, and hands everything else on.
"""

from __future__ import annotations

import asyncio
import struct
import types
from collections.abc import Callable, Coroutine, Generator
from functools import cache
from typing import Any, Protocol

_HEADER = struct.Struct("!cI")
# The length of a message counts itself, but not its kind.
_LENGTH_OF_KIND = 1

PARSED = b"1"
BOUND = b"2"
DONE = b"C"
READY = b"Z"
# Said at any time, in answer to nothing: notices, parameters, notifications.
ASIDES = frozenset((b"N", b"S", b"A"))


class Rule(Protocol):
    """Decides which of the server's messages are for the driver."""

    is_fulfilled: bool

    def is_for_driver(self, kind: bytes, body: bytes) -> bool:
        """Decide about the next message; `is_fulfilled` then tells whether the rest is the driver's too."""
        ...


class Unexpected(Exception):
    """The server answers what was sent ahead otherwise than by doing it."""


class Ahead:
    """Replies to statements that were sent ahead, none of which returns anything: each is parsed, bound and done."""

    def __init__(self, statement_count: int) -> None:
        """Expect so many statements to be done."""
        self._expected = (PARSED, BOUND, DONE) * statement_count
        self._count = 0
        self.is_fulfilled = False

    def is_for_driver(self, kind: bytes, _: bytes) -> bool:
        """Take out what is expected.

        Raises:
            Unexpected: the server refuses one of them. It then skips the statement that follows.
        """
        if kind in ASIDES:
            return True
        if kind != self._expected[self._count]:
            raise Unexpected
        self._count += 1
        self.is_fulfilled = self._count == len(self._expected)
        return False


class Behind:
    """Replies to a statement, and to one that was sent behind it as a query: the driver is to see one exchange."""

    def __init__(self) -> None:
        """Expect two exchanges."""
        self._is_first = True
        self.is_fulfilled = False
        # What the server says it did with the second statement; empty if it refused it.
        self.status = ""

    def is_for_driver(self, kind: bytes, body: bytes) -> bool:
        """Take out the end of the first exchange and what the second one did; errors of either are the driver's."""
        if kind == READY:
            is_last = not self._is_first
            self._is_first = False
            self.is_fulfilled = is_last
            return is_last
        if kind == DONE and not self._is_first:
            self.status = body.rstrip(b"\0").decode()
            return False
        return True


class Sieve(asyncio.Protocol):
    """Stands in for the driver until a rule is fulfilled."""

    def __init__(self, transport: Any, driver: Any, rule: Rule) -> None:
        """Take the driver's place; what it writes is not touched."""
        self._transport = transport
        self._driver = driver
        self._rule = rule
        self._rest = b""
        transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Hand on what is for the driver; a message that is not complete waits for the rest of it."""
        data = self._rest + data
        position = 0
        kept: list[bytes] = []
        while not self._rule.is_fulfilled and len(data) >= position + _HEADER.size:
            kind, length = _HEADER.unpack_from(data, position)
            end = position + _LENGTH_OF_KIND + length
            if len(data) < end:
                break
            try:
                if self._rule.is_for_driver(kind, data[position + _HEADER.size : end]):
                    kept.append(data[position:end])
            except Unexpected:
                # Nothing can be done on this connection any more; the driver is told that it is lost.
                self._transport.set_protocol(self._driver)
                self._transport.abort()
                return
            position = end
        self._rest = data[position:]
        if self._rule.is_fulfilled:
            self._transport.set_protocol(self._driver)
            kept.append(self._rest)
        if handed_on := b"".join(kept):
            self._driver.data_received(handed_on)

    def eof_received(self) -> Any:
        """Tell the driver."""
        return self._driver.eof_received()

    def connection_lost(self, error: Exception | None) -> None:
        """Tell the driver."""
        self._driver.connection_lost(error)

    def pause_writing(self) -> None:
        """Tell the driver."""
        self._driver.pause_writing()

    def resume_writing(self) -> None:
        """Tell the driver."""
        self._driver.resume_writing()


@cache
def to_messages(*statements: str) -> bytes:
    """Return the messages that run statements without parameters, to be followed by another's, whose end is theirs.

    Where one of them fails, the server skips all that follows, up to that end.
    """
    return b"".join(
        _to_message(b"P", b"\0" + statement.encode() + b"\0\0\0")
        + _to_message(b"B", bytes(8))
        + _to_message(b"E", bytes(5))
        for statement in statements
    )


@cache
def to_query(statement: str) -> bytes:
    """Return the message that runs a statement by itself."""
    return _to_message(b"Q", statement.encode() + b"\0")


def _to_message(kind: bytes, body: bytes) -> bytes:
    return _HEADER.pack(kind, len(body) + _HEADER.size - _LENGTH_OF_KIND) + body


@types.coroutine
def finish(exchange: Coroutine[Any, Any, Any], waited_for: Any) -> Generator[Any, Any, Any]:
    """Await a coroutine that has been started by hand, and waits for something; return what it returns."""
    step: Callable[[Any], Any]
    while True:
        argument: Any
        try:
            argument = yield waited_for
            step = exchange.send
        except BaseException as error:  # noqa: BLE001 - it is the coroutine's to handle, cancellation too
            step, argument = exchange.throw, error
        try:
            waited_for = step(argument)
        except StopIteration as done:
            return done.value
