"""A side of the comparison: a running server, its database, and how it is asked for each kind of work."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from benchmarks.databases import SideDatabase
from benchmarks.load import Call


class Work(enum.StrEnum):
    """What is asked for."""

    GRANT = "grant"
    WALLET = "wallet"
    ISSUE = "issue"


@dataclass(frozen=True, slots=True)
class Side:
    """A server under measurement; `calls` has the kinds of work that it can do."""

    name: str
    version: str
    url: str
    process_id: int
    database: SideDatabase
    calls: Mapping[Work, Call]
    # Raises BenchmarkFailed if what the side has written is not sound.
    verify: Callable[[], None]


def verify_nothing() -> None:
    """Check nothing: only the gateway keeps invariants that could be checked."""
