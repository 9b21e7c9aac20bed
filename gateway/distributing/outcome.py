"""What became of a distribution: as its answer keeps it, line by line, and as a caller reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from gateway.distributing.model import DistributionLine, Recipient
from gateway.errors import ErrorCode, RewardsError
from gateway.grants.line import LineResult
from gateway.grants.record import GrantRecord
from gateway.grants.status import ItemStatus, Refusal, StatusCode
from gateway.ids import to_uuid

GRANTED = ItemStatus(StatusCode.GRANTED, "Reward distributed.")

# What an answer keeps of a line: the grant's id, or the code of the failure and every reason.
StoredResult: TypeAlias = str | list[str]


# Not frozen, because that would double what ten thousand of them cost.
@dataclass(slots=True)
class LineOutcome:
    """What became of one line; `reasons` is empty on success, `grant_id` None on failure."""

    index: int
    recipient: Recipient
    status: ItemStatus
    reasons: tuple[str, ...]
    grant_id: UUID | None


@dataclass(frozen=True, slots=True)
class DistributionOutcome:
    """What became of every line, in the order sent. `fresh_grants` holds the grants this very call made.

    What became of a line is read from `stored` when it is asked for: a caller who only counts ten thousand lines needs no more.
    """

    transaction_id: UUID
    request_id: str
    at: datetime
    lines: Sequence[DistributionLine]
    stored: Sequence[StoredResult]
    idempotent_replay: bool
    fresh_grants: Mapping[UUID, GrantRecord] = field(default_factory=dict)

    @property
    def results(self) -> list[LineOutcome]:
        """Return what became of each line."""
        return read_results(self.lines, self.stored)

    @property
    def failures(self) -> list[LineOutcome]:
        """Return what became of each line that failed."""
        return read_failures(self.lines, self.stored)

    @property
    def failed_count(self) -> int:
        """Return how many lines failed."""
        return sum(not isinstance(result, str) for result in self.stored)


class DistributionRejected(RewardsError):
    """Not one line could be applied; nothing was written and the request id is free again (ON3-7)."""

    code = ErrorCode.DISTRIBUTION_REJECTED

    def __init__(self, request_id: str, results: Sequence[LineOutcome]) -> None:
        """Keep the reasons of every line."""
        super().__init__("No line of the distribution could be applied.", ("input", "rewards"))
        self.request_id = request_id
        self.results = tuple(results)


def to_stored(result: LineResult) -> StoredResult:
    """Return a line's result as the answer keeps it."""
    if isinstance(result, GrantRecord):
        return str(result.id)
    assert isinstance(result, Refusal)  # noqa: S101 - a distribution draws no coupons
    return [result.code, *result.reasons]


def read_results(
    lines: Sequence[DistributionLine], stored: Sequence[StoredResult]
) -> list[LineOutcome]:
    """Return what became of each line."""
    failures = iter(read_failures(lines, stored))
    return [
        LineOutcome(index, line.recipient, GRANTED, (), to_uuid(result))
        if isinstance(result, str)
        else next(failures)
        for index, (line, result) in enumerate(zip(lines, stored, strict=True))
    ]


def read_failures(
    lines: Sequence[DistributionLine], stored: Sequence[StoredResult]
) -> list[LineOutcome]:
    """Return what became of each line that failed."""
    # Lines mostly fail for the same few reasons, which are then read once.
    known: dict[tuple[str, ...], tuple[ItemStatus, tuple[str, ...]]] = {}
    failures = []
    for index, result in enumerate(stored):
        if isinstance(result, str):
            continue
        code_and_reasons = tuple(result)
        if code_and_reasons not in known:
            refusal = Refusal(StatusCode(result[0]), code_and_reasons[1:])
            known[code_and_reasons] = (refusal.status, refusal.reasons)
        status, reasons = known[code_and_reasons]
        failures.append(LineOutcome(index, lines[index].recipient, status, reasons, None))
    return failures
