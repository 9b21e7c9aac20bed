"""How much processor time a block took, which on a busy machine says more than the clock."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

MILLION = 1_000_000


@dataclass(slots=True)
class Spent:
    """Filled in when the block ends."""

    microseconds: float = 0.0


@contextmanager
def processor_time(process: psutil.Process | None = None) -> Iterator[Spent]:
    """Measure what a process and its children take; without one, the programs that are waited for in the block."""
    spent = Spent()
    before = _read(process)
    yield spent
    spent.microseconds = (_read(process) - before) * MILLION


def _read(process: psutil.Process | None) -> float:
    if process is None:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    # Children that ended are counted by their parent.
    return sum(_spend(member) for member in (process, *process.children(recursive=True)))


def _spend(process: psutil.Process) -> float:
    with contextlib.suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
