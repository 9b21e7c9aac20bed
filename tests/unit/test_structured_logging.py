"""Log lines: written together within a turn of the event loop, at once elsewhere, and never lost."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from gateway.http.log_lines import render_line
from gateway.http.request_record import start_record
from gateway.http.structured_logging import BatchingStreamHandler, JsonLineFormatter, log_later


class Written(io.StringIO):
    """A stream that keeps each write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[list[str]] = []
        self.is_broken = False

    def write(self, text: str) -> int:
        """Keep what is written as the messages of its lines."""
        if self.is_broken:
            raise BrokenPipeError
        self.writes.append([json.loads(line)["message"] for line in text.splitlines()])
        return len(text)


@pytest.fixture
def stream() -> Written:
    return Written()


@pytest.fixture
def log(stream: Written) -> Callable[[str, int], None]:
    """Give what logs one message at a level."""
    handler = BatchingStreamHandler(stream)
    handler.setFormatter(JsonLineFormatter())

    def emit(message: str, level: int = logging.INFO) -> None:
        handler.handle(logging.LogRecord("test", level, __file__, 1, message, (), None))

    return emit


async def test_lines_of_one_turn_are_written_together(
    stream: Written, log: Callable[..., None]
) -> None:
    log("a")
    log("b")
    assert stream.writes == []
    await asyncio.sleep(0)
    assert stream.writes == [["a", "b"]]
    log("c")
    await asyncio.sleep(0)
    assert stream.writes == [["a", "b"], ["c"]]


async def test_error_is_written_at_once_after_what_came_before(
    stream: Written, log: Callable[..., None]
) -> None:
    log("before")
    log("error", logging.ERROR)
    assert stream.writes == [["before", "error"]]
    log("after")
    await asyncio.sleep(0)
    assert stream.writes == [["before", "error"], ["after"]]


def test_line_outside_of_an_event_loop_is_written_at_once(
    stream: Written, log: Callable[..., None]
) -> None:
    log("a")
    assert stream.writes == [["a"]]


def test_lines_of_a_loop_that_ended_are_written_with_the_next(
    stream: Written, log: Callable[..., None]
) -> None:
    """Its last turn never came; neither the next line outside of a loop nor another loop waits for it."""

    async def last_words(message: str) -> None:
        log(message)

    def run_one_turn(message: str) -> None:
        coroutine = last_words(message)
        loop = asyncio.new_event_loop()
        try:
            # The future is done before the loop comes to what was asked of it last.
            loop.run_until_complete(coroutine)
        finally:
            loop.close()

    run_one_turn("one")
    log("outside")
    assert [message for write in stream.writes for message in write] == ["one", "outside"]

    async def another() -> None:
        log("another")
        await asyncio.sleep(0)

    run_one_turn("two")
    asyncio.run(another())
    assert [message for write in stream.writes for message in write][2:] == ["two", "another"]


@pytest.mark.parametrize("level", [logging.INFO, logging.ERROR])
async def test_stream_that_breaks_breaks_nobody(
    level: int, log: Callable[..., None], stream: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    stream.is_broken = True
    log("lost", level)
    await asyncio.sleep(0)
    assert "Logging error" in capsys.readouterr().err


@contextlib.contextmanager
def alone(stream: io.StringIO) -> Iterator[logging.Logger]:
    """Give a logger whose lines reach the stream and nobody else, as `configure_logging` has it; pytest listens too otherwise."""
    handler = BatchingStreamHandler(stream)
    handler.setFormatter(JsonLineFormatter())
    logger = logging.getLogger("test.later")
    handlers, logging.root.handlers = logging.root.handlers, [handler]
    logger.setLevel(logging.INFO)
    try:
        yield logger
    finally:
        logger.setLevel(logging.NOTSET)
        logging.root.handlers = handlers


async def test_line_made_later_is_the_same_line() -> None:
    texts = io.StringIO()
    record = start_record("trace-1")
    facts = {"status": 200, "ü": "two\nlines", "id": record}
    with alone(texts) as logger:
        log_later(logger, logging.INFO, "request", lambda: facts)
        logger.info("request", extra={"facts": facts})
    start_record("trace-2")
    await asyncio.sleep(0)
    later, usual = (json.loads(line) for line in texts.getvalue().splitlines())
    written = [datetime.fromisoformat(line.pop("time")) for line in (later, usual)]
    assert written[0] <= written[1]
    assert list(later) == list(usual)
    assert later == usual
    assert later["request_id"] == "trace-1"


async def test_lines_made_later_keep_their_place(stream: Written) -> None:
    with alone(stream) as logger:
        log_later(logger, logging.INFO, "a", dict)
        logger.info("b")
        log_later(logger, logging.INFO, "c", dict)
        assert stream.writes == []
        await asyncio.sleep(0)
        assert stream.writes == [["a", "b", "c"]]
        log_later(logger, logging.INFO, "d", dict)
        logger.error("error")
        assert stream.writes[1:] == [["d", "error"]]


def test_line_made_later_is_written_at_once_outside_of_an_event_loop(stream: Written) -> None:
    with alone(stream) as logger:
        log_later(logger, logging.INFO, "a", dict)
        assert stream.writes == [["a"]]


def test_line_below_the_level_is_not_made(stream: Written) -> None:
    with alone(stream) as logger:
        log_later(logger, logging.DEBUG, "left out", lambda: pytest.fail("not asked for"))
    assert stream.writes == []


async def test_line_that_cannot_be_made_takes_no_other_with_it(
    stream: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    with alone(stream) as logger:
        log_later(logger, logging.INFO, "a", dict)
        log_later(logger, logging.INFO, "b", lambda: {"": 1 / 0})
        log_later(logger, logging.INFO, "c", dict)
        await asyncio.sleep(0)
    assert stream.writes == [["a", "c"]]
    assert "ZeroDivisionError" in capsys.readouterr().err


def test_stream_that_breaks_outside_of_an_event_loop_breaks_nobody(
    stream: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    stream.is_broken = True
    with alone(stream) as logger:
        log_later(logger, logging.INFO, "lost", dict)
    assert "Logging error" in capsys.readouterr().err


@pytest.mark.parametrize("name", [None, "test.later"])
def test_others_who_listen_hear_of_it_too(
    stream: Written, caplog: pytest.LogCaptureFixture, name: str | None
) -> None:
    with alone(stream) as logger:
        caplog.clear()
        listening = logging.getLogger(name)
        listening.addHandler(caplog.handler)
        log_later(logger, logging.INFO, "a", lambda: {"status": 200})
        listening.removeHandler(caplog.handler)
    assert stream.writes == [["a"]]
    assert [record.__dict__["facts"] for record in caplog.records] == [{"status": 200}]


def test_time_is_that_of_isoformat() -> None:
    generator = random.Random(1)
    seconds = [generator.uniform(0, 4e9) for _ in range(2_000)]
    for created in [0.0, 1.9999996, 1.9999994, 1e9 + 0.0005, *seconds]:
        line = json.loads(render_line(created, logging.INFO, "x", "y", None, dict))
        expected = datetime.fromtimestamp(created, UTC).isoformat(timespec="milliseconds")
        assert line["time"] == expected


def test_nothing_is_lost_at_exit() -> None:
    """The interpreter shuts logging down, which writes what was kept."""
    program = (
        "import asyncio, logging\n"
        "from gateway.http.structured_logging import configure_logging, log_later\n"
        "configure_logging('info')\n"
        "async def main():\n"
        "    logging.info('first')\n"
        "    asyncio.get_running_loop().stop()\n"
        "    logging.info('last words')\n"
        "    log_later(logging.getLogger('x'), logging.INFO, 'request', dict)\n"
        "loop = asyncio.new_event_loop()\n"
        "loop.create_task(main())\n"
        "loop.run_forever()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    messages = [json.loads(line)["message"] for line in ended.stderr.splitlines()]
    assert messages == ["first", "last words", "request"]
