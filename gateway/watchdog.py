"""Ends this process when its event loop is stuck, so that whoever started it starts another (decision 0077)."""

from __future__ import annotations

import faulthandler
import logging
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from gateway.heartbeats import BEAT_SECONDS, Heartbeats, beat_forever

logger = logging.getLogger(__name__)

# As the supervisor's, of a fault.
EXIT_STUCK: Final = 70
# For the log, which may be what the loop is stuck on.
LOG_SECONDS_MAX: Final = 2.0


class Watchdog:
    """A thread that looks for the loop's signs of life.

    A statement that never gives the interpreter to another thread, such as a regular expression on a hostile text, keeps this
    thread from looking, too. So it winds up a timer of processor time each time it looks: where nobody does, the kernel ends the
    process, after its threads' stacks are on standard error.
    """

    def __init__(self, silence_seconds_max: int) -> None:
        """Take how long the loop may be silent; call this from the main thread."""
        self._seconds = silence_seconds_max
        self._heartbeats = Heartbeats(1, silence_seconds_max)
        self._main_thread = threading.get_ident()
        self._is_over = threading.Event()

    def start(self) -> None:
        """Watch the running event loop from now on."""
        beat_forever(lambda: self._heartbeats.beat(0))
        faulthandler.register(signal.SIGPROF, all_threads=True, chain=True)
        self._wind_up()
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no more: the loop ends in order."""
        self._is_over.set()
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _watch(self) -> None:
        while not self._is_over.wait(BEAT_SECONDS):
            if self._heartbeats.look():
                self._end()
            self._wind_up()

    def _wind_up(self) -> None:
        signal.setitimer(signal.ITIMER_PROF, self._seconds)

    def _end(self) -> None:
        # In a thread of its own: standard error may be full, or its lock taken for ever.
        log = threading.Thread(target=self._log, daemon=True)
        log.start()
        log.join(LOG_SECONDS_MAX)
        os._exit(EXIT_STUCK)

    def _log(self) -> None:
        frame = sys._current_frames().get(self._main_thread)
        stack = "".join(traceback.format_stack(frame)) if frame else ""
        logger.critical(
            "process stuck", extra={"facts": {"seconds": self._seconds, "stack": stack}}
        )


@contextmanager
def watchdog(silence_seconds_max: int) -> Iterator[Watchdog]:
    """Make a watchdog that watches from when it is started to the end of the block."""
    process_watchdog = Watchdog(silence_seconds_max)
    try:
        yield process_watchdog
    finally:
        process_watchdog.stop()
