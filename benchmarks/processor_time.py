"""How much processor time a block took, which on a busy machine says more than the clock."""

from __future__ import annotations

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
    return sum(sum(member.cpu_times()[:4]) for member in (process, *_running(process)))


def _running(process: psutil.Process) -> list[psutil.Process]:
    children = process.children(recursive=True)
    return [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
