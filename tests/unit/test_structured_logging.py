"""Log lines: written together within a turn of the event loop, at once elsewhere, and never lost."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable

import pytest

from gateway.http.structured_logging import BatchingStreamHandler, JsonLineFormatter


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


def test_nothing_is_lost_at_exit() -> None:
    """The interpreter shuts logging down, which writes what was kept."""
    program = (
        "import asyncio, logging\n"
        "from gateway.http.structured_logging import configure_logging\n"
        "configure_logging('info')\n"
        "async def main():\n"
        "    logging.info('first')\n"
        "    asyncio.get_running_loop().stop()\n"
        "    logging.info('last words')\n"
        "loop = asyncio.new_event_loop()\n"
        "loop.create_task(main())\n"
        "loop.run_forever()\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    messages = [json.loads(line)["message"] for line in ended.stderr.splitlines()]
    assert messages == ["first", "last words"]
