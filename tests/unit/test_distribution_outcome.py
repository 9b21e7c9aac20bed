"""What became of a distribution's lines is read from its answer, for each line or for those that failed (ON3-6)."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from gateway.distributing.model import DistributionLine, Recipient
from gateway.distributing.outcome import GRANTED, DistributionOutcome, LineOutcome, StoredResult
from gateway.grants.status import ItemStatus, StatusCode
from gateway.ids import new_id, new_ids
from gateway.members.identifiers import IdentifierKind

RECIPIENTS = [Recipient(IdentifierKind.EXTERNAL_ID, f"customer-{number}") for number in range(5)]
UNKNOWN = "No member has this identifier."
GRANT_IDS = new_ids(2)
STORED: list[StoredResult] = [
    str(GRANT_IDS[0]),
    ["RECIPIENT_NOT_FOUND", UNKNOWN],
    ["INVALID_LINE", "xpReward is too large.", UNKNOWN],
    str(GRANT_IDS[1]),
    ["RECIPIENT_NOT_FOUND", UNKNOWN],
]
NOT_FOUND = ItemStatus(StatusCode.RECIPIENT_NOT_FOUND, UNKNOWN)
INVALID = ItemStatus(StatusCode.INVALID_LINE, f"xpReward is too large. {UNKNOWN}")


def outcome_of(stored: list[StoredResult]) -> DistributionOutcome:
    lines = [DistributionLine(recipient, None, Decimal(1), 1) for recipient in RECIPIENTS]
    at = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    return DistributionOutcome(new_id(), "r-1", at, lines[: len(stored)], stored, False)


@pytest.mark.requirement("ON3-6")
def test_each_line_has_its_result_in_the_order_sent() -> None:
    outcome = outcome_of(STORED)
    first, second, third, fourth, fifth = outcome.results
    assert first == LineOutcome(0, RECIPIENTS[0], GRANTED, (), GRANT_IDS[0])
    assert second == LineOutcome(1, RECIPIENTS[1], NOT_FOUND, (UNKNOWN,), None)
    reasons = ("xpReward is too large.", UNKNOWN)
    assert third == LineOutcome(2, RECIPIENTS[2], INVALID, reasons, None)
    assert fourth == LineOutcome(3, RECIPIENTS[3], GRANTED, (), GRANT_IDS[1])
    assert fifth == LineOutcome(4, RECIPIENTS[4], NOT_FOUND, (UNKNOWN,), None)
    assert outcome.failures == [second, third, fifth]
    assert outcome.failed_count == 3


def test_equal_results_share_one_status() -> None:
    first, second, _, fourth, fifth = outcome_of(STORED).results
    assert first.status is fourth.status
    assert second.status is fifth.status


def test_nothing_failed() -> None:
    outcome = outcome_of([str(grant_id) for grant_id in GRANT_IDS])
    assert [result.grant_id for result in outcome.results] == GRANT_IDS
    assert (outcome.failures, outcome.failed_count) == ([], 0)
