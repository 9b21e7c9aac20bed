"""Signs of life of several processes: each process's event loop gives one a second, and the first process looks for them.

A byte of shared memory for each, which its process changes: nothing to fill up or to break off, and half of it is never read
(docs/decisions/0048-silent-workers.md).
"""

from __future__ import annotations

import asyncio
import mmap
from collections.abc import Callable
from typing import Final

BEAT_SECONDS: Final = 1.0
# Zero is kept for a process that has not begun.
BEATS: Final = 255


class Heartbeats:
    """The signs of life of so many processes; made before they are forked."""

    def __init__(self, process_count: int, silence_seconds_max: int) -> None:
        """Take how long a process that has begun may be silent."""
        self._beats = mmap.mmap(-1, process_count)
        self._seen = [0] * process_count
        # Looks in a row that have found nothing new.
        self._silent_looks = [0] * process_count
        self._silent_looks_max = silence_seconds_max / BEAT_SECONDS

    def beat(self, number: int) -> None:
        """Give a sign of life, as the process of this number."""
        self._beats[number] = self._beats[number] % BEATS + 1

    def forget(self, number: int) -> None:
        """Begin anew with another process of this number; it may take its time for the first sign."""
        self._beats[number] = 0
        self._silent_looks[number] = 0

    def look(self) -> list[int]:
        """Return who has been silent for too long, if this is called once every `BEAT_SECONDS`; whoever is named is forgotten.

        Time is told by how often one has looked: if the machine sleeps or this process is stopped, nobody is silent meanwhile.
        """
        silent = [number for number in range(len(self._seen)) if self._is_silent(number)]
        for number in silent:
            self.forget(number)
        return silent

    def _is_silent(self, number: int) -> bool:
        beat = self._beats[number]
        if beat in {0, self._seen[number]}:
            self._silent_looks[number] += beat != 0
        else:
            self._seen[number] = beat
            self._silent_looks[number] = 0
        return self._silent_looks[number] > self._silent_looks_max


def beat_forever(beat: Callable[[], None]) -> None:
    """Call `beat` now, and every second for as long as the running event loop goes on."""
    beat()
    asyncio.get_running_loop().call_later(BEAT_SECONDS, beat_forever, beat)
