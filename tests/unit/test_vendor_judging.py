"""What each answer of a vendor proves: issued, refused, or nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import orjson
import pytest

from gateway.ledger.model import TransactionKind
from gateway.purchasing.judging import judge
from gateway.purchasing.model import Answer, ClaimedOrder, Issued, Refused, Unsettled, Verdict
from gateway.purchasing.purchaser import back_off, judge_attempt
from gateway.vendors.mapping import ResponseMapping

pytestmark = pytest.mark.requirement("CAP-5")

MAPPING = ResponseMapping("voucher", "validTill", "offer", "series")


def ok(**body: Any) -> Verdict:
    return judge(Answer(200, orjson.dumps(body)), MAPPING, was_uncertain=False)


def status(code: int, *, was_uncertain: bool) -> Verdict:
    return judge(Answer(code, b"{}"), MAPPING, was_uncertain=was_uncertain)


def test_voucher_and_what_belongs_to_it_are_read() -> None:
    assert ok(voucher=" V1 ", validTill="2027-11-01", offer="Coffee", series=234) == Issued(
        "V1", "2027-11-01", "Coffee", "234"
    )
    assert ok(voucher=12345678901234567890) == Issued("12345678901234567890", None, None, None)
    # What is beside the voucher never stands in its way.
    assert ok(voucher="V1", validTill={"year": 2027}, offer="x" * 513, series="\x00") == Issued(
        "V1", None, None, None
    )


@pytest.mark.parametrize("body", [{}, {"voucher": None}, {"voucher": ""}, {"voucher": "  "}])
def test_answer_without_voucher_is_a_refusal(body: dict[str, Any]) -> None:
    assert isinstance(ok(**body), Refused)


@pytest.mark.parametrize(
    "voucher", [True, 1.5, {"code": "V1"}, ["V1"], "a\x00b", "x" * 513], ids=repr
)
def test_voucher_that_is_no_text_proves_nothing(voucher: object) -> None:
    assert ok(voucher=voucher) == Unsettled(
        "its answer holds something else than a voucher", may_have_issued=True
    )


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b'"V1"', b"null", b"\xff", b"NaN", None])
def test_unreadable_answer_proves_nothing(body: bytes | None) -> None:
    verdict = judge(Answer(200, body), MAPPING, was_uncertain=False)
    assert verdict == Unsettled("its answer could not be read", may_have_issued=True)


@pytest.mark.parametrize("code", [400, 402, 410, 422])
def test_refusal_of_the_order_counts_always(code: int) -> None:
    for was_uncertain in (False, True):
        assert isinstance(status(code, was_uncertain=was_uncertain), Refused)


@pytest.mark.parametrize("code", [401, 403, 404, 405, 413, 415, 418, 451, 307, 308])
def test_refusal_at_the_door_counts_the_first_time_only(code: int) -> None:
    assert isinstance(status(code, was_uncertain=False), Refused)
    verdict = status(code, was_uncertain=True)
    assert isinstance(verdict, Unsettled)
    assert verdict.may_have_issued


@pytest.mark.parametrize("code", [425, 429])
def test_not_now_is_no_answer(code: int) -> None:
    for was_uncertain in (False, True):
        verdict = status(code, was_uncertain=was_uncertain)
        assert isinstance(verdict, Unsettled)
        assert not verdict.may_have_issued


@pytest.mark.parametrize(
    "code", [100, 201, 202, 204, 206, 300, 301, 302, 303, 304, 408, 409, 499, 500, 502, 503, 504]
)
def test_other_statuses_prove_nothing(code: int) -> None:
    for was_uncertain in (False, True):
        verdict = status(code, was_uncertain=was_uncertain)
        assert isinstance(verdict, Unsettled)
        assert verdict.may_have_issued


ORDER = ClaimedOrder(
    tenant_id=UUID(int=1),
    grant_id=UUID(int=2),
    operation_id=UUID(int=3),
    credential_id=UUID(int=6),
    transaction_kind=TransactionKind.ISSUANCE,
    vendor_id=UUID(int=4),
    endpoint="https://vouchers.example.com/",
    request_template_sealed=b"",
    request_values={},
    payments=(),
    lease_id=UUID(int=5),
    attempt_count=1,
    was_uncertain=False,
    response_mapping=MAPPING,
    secret_header_name=None,
    secret_header_sealed=None,
    timeout_seconds=1,
)
UNREACHED = Unsettled("it could not be reached", may_have_issued=False)


def test_vendor_never_reached_has_refused_in_the_end() -> None:
    assert judge_attempt(replace(ORDER, attempt_count=4), UNREACHED) == UNREACHED
    assert judge_attempt(replace(ORDER, attempt_count=5), UNREACHED) == Refused(UNREACHED.reason)


def test_vendor_once_reached_is_asked_for_ever() -> None:
    order = replace(ORDER, attempt_count=10**6, was_uncertain=True)
    assert judge_attempt(order, UNREACHED) == UNREACHED
    lost = Unsettled("the connection was lost", may_have_issued=True)
    assert judge_attempt(replace(order, was_uncertain=False), lost) == lost


def test_pauses_double_up_to_ten_minutes() -> None:
    for attempt, longest in [
        (1, 0.5),
        (2, 1.0),
        (5, 8.0),
        (11, 512.0),
        (12, 600.0),
        (10**9, 600.0),
    ]:
        pauses = {back_off(attempt) for _ in range(50)}
        assert min(pauses) >= longest / 2
        assert max(pauses) <= longest
        assert len(pauses) > 1
