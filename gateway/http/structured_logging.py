"""One JSON object per log line on stderr, each with the id of the request under way."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
from datetime import UTC, datetime
from typing import TextIO

import orjson

from gateway.http.request_record import current_record

# PostgreSQL puts the values of a violated constraint into DETAIL: they may be personal data.
_DETAIL_PATTERN = re.compile(r"^DETAIL:.*$", re.MULTILINE)


class JsonLineFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line: time, level, process id, logger, message, request id, facts, traceback."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "process": os.getpid(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (request := current_record()) is not None:
            line["request_id"] = request.request_id
        line.update(getattr(record, "facts", {}))
        if record.exc_info:
            traceback = self.formatException(record.exc_info)
            line["traceback"] = _DETAIL_PATTERN.sub("DETAIL: (left out)", traceback)
        return orjson.dumps(line, default=str).decode()


class BatchingStreamHandler(logging.StreamHandler[TextIO]):
    """Writes the lines of one turn of the event loop together: requests that share a commit are answered in one turn.

    Outside of an event loop, and for errors, a line is written at once.
    """

    def __init__(self, stream: TextIO) -> None:
        """Start with nothing to write."""
        super().__init__(stream)
        self._lines: list[str] = []
        self._loop: asyncio.AbstractEventLoop | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line until the event loop has its next turn."""
        try:
            self._lines.append(self.format(record) + self.terminator)
            if record.levelno >= logging.ERROR or not self._is_flushed_soon(record):
                self.flush()
        except Exception:  # noqa: BLE001 - reported as the standard handlers do: logging breaks no request
            self.handleError(record)

    def _is_flushed_soon(self, record: logging.LogRecord) -> bool:
        """Tell whether the event loop will write the lines, after asking it to with the first of them.

        A loop that was asked and ended before it came to it is not waited for.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if loop is not self._loop:
            self._loop = loop
            loop.call_soon(self._flush_in_turn, record)
        return True

    def _flush_in_turn(self, record: logging.LogRecord) -> None:
        """Write what has been kept; the first of its records stands for all if that fails."""
        try:
            self.flush()
        except Exception:  # noqa: BLE001 - as in emit
            self.handleError(record)

    def flush(self) -> None:
        """Write what has been kept."""
        self.acquire()
        try:
            lines, self._lines = self._lines, []
            self._loop = None
            if lines:
                self.stream.write("".join(lines))
            super().flush()
        finally:
            self.release()


def configure_logging(level: str) -> None:
    """Send every logger's lines of at least this level to stderr as JSON, and nowhere else."""
    handler = BatchingStreamHandler(sys.stderr)
    handler.setFormatter(JsonLineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # No line says who logged it from where in which thread, and finding out takes longer than writing the line; the
    # standard library's manual names these switches.
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
