"""One JSON object per log line on stderr, each with the id of the request under way."""

from __future__ import annotations

import asyncio
import logging
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TextIO

from gateway.http.log_lines import Facts, render_line
from gateway.http.request_record import current_record

# PostgreSQL puts the values of a violated constraint into DETAIL: they may be personal data.
_DETAIL_PATTERN = re.compile(r"^DETAIL:.*$", re.MULTILINE)
# Stands for lines that failed together, where the standard library wants to hear of one.
_LINES = logging.makeLogRecord({"msg": "lines kept for one write"})


class JsonLineFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, process id, logger, message, request id, facts, traceback."""
        facts: Facts = getattr(record, "facts", {})
        if record.exc_info:
            traceback = self.formatException(record.exc_info)
            facts = facts | {"traceback": _DETAIL_PATTERN.sub("DETAIL: (left out)", traceback)}
        message = record.getMessage()
        request_id = _current_request_id()
        return render_line(
            record.created, record.levelno, record.name, message, request_id, lambda: facts
        )


class BatchingStreamHandler(logging.StreamHandler[TextIO]):
    """Writes the lines of one turn of the event loop together: requests that share a commit are answered in one turn.

    Outside of an event loop, and for errors, a line is written at once.
    """

    def __init__(self, stream: TextIO) -> None:
        """Start with nothing to write."""
        super().__init__(stream)
        # Lines, and what renders one when it is written.
        self._lines: list[str | Callable[[], str]] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line until the event loop has its next turn."""
        try:
            self._lines.append(self.format(record) + self.terminator)
            if record.levelno >= logging.ERROR or not self._is_flushed_soon():
                self.flush()
        except Exception:  # noqa: BLE001 - reported as the standard handlers do: logging breaks no request
            self.handleError(record)

    def keep(self, render: Callable[[], str]) -> None:
        """Keep a line that is rendered when it is written; as `emit`, it breaks no request."""
        self.acquire()
        try:
            self._lines.append(render)
            if not self._is_flushed_soon():
                self.flush()
        except Exception:  # noqa: BLE001 - as in emit
            self.handleError(_LINES)
        finally:
            self.release()

    def _is_flushed_soon(self) -> bool:
        """Tell whether the event loop will write the lines, after asking it to with the first of them.

        A loop that was asked and ended before it came to it is not waited for.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if loop is not self._loop:
            self._loop = loop
            loop.call_soon(self._flush_in_turn)
        return True

    def _flush_in_turn(self) -> None:
        try:
            self.flush()
        except Exception:  # noqa: BLE001 - as in emit
            self.handleError(_LINES)

    def flush(self) -> None:
        """Write what has been kept."""
        self.acquire()
        try:
            lines, self._lines = self._lines, []
            self._loop = None
            if lines:
                self.stream.write("".join(map(self._render, lines)))
            super().flush()
        finally:
            self.release()

    def _render(self, line: str | Callable[[], str]) -> str:
        if isinstance(line, str):
            return line
        try:
            return line() + self.terminator
        except Exception:  # noqa: BLE001 - one line that cannot be rendered keeps no other from being written
            self.handleError(_LINES)
            return ""


def log_later(
    logger: logging.Logger, level: int, message: str, make_facts: Callable[[], Facts]
) -> None:
    """Log a line about the request under way as `logger.log` would, below ERROR, and make it when it is written.

    Where `configure_logging` has set up the log, and nobody has added to it, the line goes straight to its handler: a logger's way
    there takes longer than all the rest of the line.
    """
    if not logger.isEnabledFor(level):
        return
    handlers = [*logger.handlers, *logging.root.handlers]
    if len(handlers) == 1 and isinstance(handler := handlers[0], BatchingStreamHandler):
        request_id = _current_request_id()
        handler.keep(
            partial(render_line, time.time(), level, logger.name, message, request_id, make_facts)
        )
    else:
        logger.log(level, message, extra={"facts": make_facts()})


def _current_request_id() -> str | None:
    record = current_record()
    return None if record is None else record.request_id


def configure_logging(level: str) -> None:
    """Send every logger's lines of at least this level to stderr as JSON, and nowhere else."""
    handler = BatchingStreamHandler(sys.stderr)
    handler.setFormatter(JsonLineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # No line says who logged it from where in which thread, and finding out takes longer than writing the line; the
    # standard library's manual names these switches.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
