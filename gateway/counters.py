"""Counts of what went wrong, kept by the process from its start on; whoever shows metrics reads them."""

from __future__ import annotations

from collections import Counter
from contextvars import ContextVar

# By what is counted, and which of it: ("answers", "OVERLOADED") or ("database_errors", "53100").
_counts: Counter[tuple[str, str]] = Counter()
# The codes in the answer of the request under way.
_codes: ContextVar[set[str] | None] = ContextVar("gateway_answer_codes", default=None)


def count(name: str, label: str) -> None:
    """Count one of them."""
    _counts[name, label] += 1


def read_counts() -> dict[tuple[str, str], int]:
    """Return all counts."""
    return dict(_counts)


def collect_codes(codes: set[str]) -> None:
    """Let `note_code` add to this set for the rest of the request, in tasks that it starts too."""
    _codes.set(codes)


def note_code(code: str) -> None:
    """Note that the request's answer has an error of this code, and count it."""
    count("answers", code)
    if (codes := _codes.get()) is not None:
        codes.add(code)
