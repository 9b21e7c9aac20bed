"""What happens again and again is logged when it happens first, and then once a minute with how often it was left out."""

from __future__ import annotations

import logging
import time
from collections.abc import Hashable
from typing import Final

from gateway.errors import RewardsError

REPEAT_SECONDS: Final = 60.0


class Repeats:
    """Says which of many alike are logged."""

    def __init__(self) -> None:
        """Begin with none logged."""
        # Of each kind: when it was logged, and how often it came since.
        self._logged: dict[Hashable, tuple[float, int]] = {}

    def admit(self, kind: Hashable, repeat_seconds: float = REPEAT_SECONDS) -> int | None:
        """Return how many of a kind were left out before this one, which is to be logged; None if it is left out as well."""
        now = time.monotonic()
        logged_at, left_out = self._logged.get(kind, (float("-inf"), 0))
        if now - logged_at < repeat_seconds:
            self._logged[kind] = (logged_at, left_out + 1)
            return None
        self._logged[kind] = (now, 0)
        return left_out


class FaultLog:
    """Logs the faults of work that is tried again by itself."""

    def __init__(self, logger: logging.Logger, message: str) -> None:
        """Take where to log, and what a line says."""
        self._logger = logger
        self._message = message
        self._repeats = Repeats()

    def note(self, fault: Exception, **facts: str) -> None:
        """Log a fault, unless one of its class and with these facts was in the log within a minute.

        That the database or a file is away is one line, whatever the facts; a fault of ours has its traceback.
        """
        is_foreseen = isinstance(fault, RewardsError | OSError)
        kind = (type(fault),) if is_foreseen else (type(fault), *facts.values())
        left_out = self._repeats.admit(kind)
        if left_out is None:
            return
        reason = str(fault).partition("\n")[0] or type(fault).__name__
        self._logger.log(
            logging.WARNING if is_foreseen else logging.ERROR,
            self._message,
            exc_info=None if is_foreseen else fault,
            extra={"facts": {**facts, "reason": reason, "left_out": left_out}},
        )
