"""One line of the log: a JSON object."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TypeAlias

import orjson

# What a line says beyond when, who and what.
Facts: TypeAlias = dict[str, Any]

_MICROSECONDS_A_SECOND = 1_000_000


def render_line(
    created: float,
    level: int,
    logger_name: str,
    message: str,
    request_id: str | None,
    make_facts: Callable[[], Facts],
) -> str:
    """Return the line: time, level, process id, logger, message, request id where there is one, and the facts.

    `created` is in seconds since 1970.
    """
    line: Facts = {
        "time": _render_time(created),
        "level": _level_name(level),
        "process": os.getpid(),
        "logger": logger_name,
        "message": message,
    }
    if request_id is not None:
        line["request_id"] = request_id
    line.update(make_facts())
    return orjson.dumps(line, default=str).decode()


def _render_time(created: float) -> str:
    """Return a time to the millisecond, as `isoformat` would."""
    seconds, microseconds = divmod(round(created * _MICROSECONDS_A_SECOND), _MICROSECONDS_A_SECOND)
    return f"{_render_second(seconds)}.{microseconds // 1000:03d}+00:00"


@lru_cache(maxsize=8)
def _render_second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()


@lru_cache(maxsize=32)
def _level_name(level: int) -> str:
    return logging.getLevelName(level).lower()
