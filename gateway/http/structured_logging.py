"""One JSON object per log line on stderr, each with the id of the request under way."""

from __future__ import annotations

import logging
import re
import sys
from datetime import UTC, datetime

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
            "process": record.process,
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


def configure_logging(level: str) -> None:
    """Send every logger's lines of at least this level to stderr as JSON, and nowhere else."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLineFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
