"""What a sieve hands on to the driver, however the server's messages come in."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import pytest

from gateway.storage.pipelining import Ahead, Behind, Rule, Sieve, finish, to_messages, to_query


class Transport:
    """Remembers its protocol, and whether it was cut off."""

    def __init__(self) -> None:
        self.protocol: Any = None
        self.is_aborted = False

    def set_protocol(self, protocol: Any) -> None:
        self.protocol = protocol

    def abort(self) -> None:
        self.is_aborted = True


class Driver:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.data = b""
        self.told: list[Any] = []

    def data_received(self, data: bytes) -> None:
        assert data
        self.data += data

    def eof_received(self) -> bool:
        self.told.append("eof")
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self.told.append(error)

    def pause_writing(self) -> None:
        self.told.append("pause")

    def resume_writing(self) -> None:
        self.told.append("resume")


def message(kind: str, body: bytes = b"") -> bytes:
    return kind.encode() + struct.pack("!I", len(body) + 4) + body


BEGUN = message("1") + message("2") + message("C", b"BEGIN\0")
LIMITED = message("1") + message("2") + message("C", b"SET\0")
NOTICE = message("N", b"SWARNING\0\0")
ROW = message("2") + message("D", b"\0\1\0\0\0\1x") + message("C", b"SELECT 1\0")
READY = message("Z", b"I")
IN_TRANSACTION = message("Z", b"T")
FAILED = message("Z", b"E")
ERROR = message("E", b"SERROR\0\0")
DONE = message("2") + message("C", b"UPDATE 1\0")
COMMITTED = message("C", b"COMMIT\0")


def sift(rule: Rule, data: bytes, size: int) -> tuple[Driver, Transport]:
    """Let the data come in parts of this size, to whoever is the transport's protocol then."""
    transport, driver = Transport(), Driver()
    Sieve(transport, driver, rule)
    for start in range(0, len(data), size):
        transport.protocol.data_received(data[start : start + size])
        if transport.is_aborted:
            break
    return driver, transport


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 11, 1_000])
@pytest.mark.parametrize(
    ("rule", "data", "handed_on"),
    [
        (lambda: Ahead(1), BEGUN + ROW + IN_TRANSACTION, ROW + IN_TRANSACTION),
        (lambda: Ahead(2), BEGUN + LIMITED + ROW, ROW),
        (lambda: Ahead(1), message("1") + NOTICE + BEGUN[5:] + ROW, NOTICE + ROW),
        (Behind, DONE + IN_TRANSACTION + COMMITTED + READY, DONE + READY),
        (Behind, DONE + IN_TRANSACTION + ERROR + READY + NOTICE, DONE + ERROR + READY + NOTICE),
        (Behind, ERROR + FAILED + message("C", b"ROLLBACK\0") + READY, ERROR + READY),
    ],
)
def test_replies_to_what_the_driver_did_not_send_are_taken_out(
    rule: Any, data: bytes, handed_on: bytes, size: int
):
    driver, transport = sift(rule(), data, size)
    assert driver.data == handed_on
    assert transport.protocol is driver
    assert not transport.is_aborted


@pytest.mark.parametrize("size", [1, 4, 1_000])
@pytest.mark.parametrize("data", [ERROR + READY, message("1") + ERROR, message("Z", b"I")])
def test_a_refused_beginning_cuts_the_connection_off(data: bytes, size: int):
    driver, transport = sift(Ahead(1), data, size)
    assert transport.is_aborted
    assert transport.protocol is driver
    assert driver.data == b""


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (DONE + IN_TRANSACTION + COMMITTED + READY, "COMMIT"),
        (DONE + FAILED + message("C", b"ROLLBACK\0") + READY, "ROLLBACK"),
        (DONE + IN_TRANSACTION + ERROR + READY, ""),
    ],
)
def test_what_the_server_says_to_the_second_statement_is_known(data: bytes, status: str):
    rule = Behind()
    sift(rule, data, 1_000)
    assert rule.status == status


def test_the_driver_hears_all_else():
    transport, driver, error = Transport(), Driver(), OSError()
    sieve = Sieve(transport, driver, Ahead(1))
    sieve.pause_writing()
    sieve.resume_writing()
    assert sieve.eof_received() is True
    sieve.connection_lost(error)
    assert driver.told == ["pause", "resume", "eof", error]


def test_messages_say_their_length():
    assert to_query("COMMIT") == b"Q\0\0\0\x0bCOMMIT\0"
    assert to_messages("BEGIN") == (
        b"P\0\0\0\x0d\0BEGIN\0\0\0" + b"B\0\0\0\x0c" + bytes(8) + b"E\0\0\0\x09" + bytes(5)
    )
    assert to_messages("BEGIN", "COMMIT") == to_messages("BEGIN") + to_messages("COMMIT")


async def test_a_coroutine_that_was_started_by_hand_goes_on():
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    noted: list[str] = []

    async def wait() -> str:
        noted.append(await first)
        try:
            noted.append(await second)
        except asyncio.CancelledError:
            return "cancelled"
        return "done"

    exchange = wait()
    waited_for = exchange.send(None)
    task = asyncio.create_task(_await(exchange, waited_for))
    await asyncio.sleep(0)
    first.set_result("one")
    await asyncio.sleep(0)
    task.cancel()
    assert await task == "cancelled"
    assert noted == ["one"]


async def test_what_a_coroutine_raises_is_raised():
    future = asyncio.get_running_loop().create_future()

    async def wait() -> None:
        await future

    exchange = wait()
    waited_for = exchange.send(None)
    future.set_exception(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await _await(exchange, waited_for)


async def _await(exchange: Any, waited_for: Any) -> Any:
    return await finish(exchange, waited_for)
