"""Conditions: what they may say, where a broken one is wrong, and that none of them takes long."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.campaigns.conditions import (
    WORK_PER_EVENT_MAX,
    Evaluation,
    EvaluationFailed,
    compile_condition,
)
from gateway.campaigns.expression import InvalidExpression

pytestmark = pytest.mark.requirement("MON-12")

NOW = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
ORDER = {
    "amount": 50,
    "ratio": 0.5,
    "note": None,
    "map": 1,
    "items": [{"sku": "A", "quantity": 3}, {"sku": "B", "quantity": 1}],
}


def evaluation(payload: dict[str, Any] = ORDER) -> Evaluation:
    member = {"id": "mem_1", "displayName": "Ada", "createdAt": datetime(2026, 1, 1, tzinfo=UTC)}
    event = {"id": "1", "type": "order.completed", "occurredAt": NOW}
    return Evaluation(payload, member, event, NOW, NOW)


@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("payload.amount >= 50", True),
        ("payload.amount > 50.5", False),
        ("payload.ratio == 0.5 && payload.note == null", True),
        ("has(payload.coupon) && payload.coupon == 'X'", False),
        ("payload.map == 1", True),
        ("payload.items.exists(i, i.sku == 'A' && i.quantity > 2)", True),
        ("payload.items.all(i, i.quantity > 1)", False),
        ("payload.items.filter(i, i.quantity > 0).size() == 2", True),
        ("payload.items.exists_one(i, i.sku.startsWith('B'))", True),
        ("'C' in ['A', 'B'] ? true : payload.amount / 2 == 25", True),
        ("member.displayName == 'Ada' && now - member.createdAt > duration('24h')", True),
        ("event.type == 'order.completed' && event.occurredAt == now", True),
        # Half an hour after the clocks in Oslo went back from three to two; it is Sunday.
        ("local.date == '2026-10-25' && local.hour == 2 && local.weekday == 7", True),
        ("// a comment\n true", True),
    ],
)
def test_condition_is_evaluated_on_facts(source: str, *, answer: bool) -> None:
    assert evaluation().holds(source, "Europe/Oslo") is answer


@pytest.mark.parametrize(
    ("source", "rule", "place"),
    [
        ("payload.amount >", "syntax", "line 1, column 17"),
        ("true &&\n  payload.amount ==", "syntax", "line 2, column 20"),
        ("", "syntax", "line 1, column 1"),
        ("true &&& false", "syntax", "line 1, column 8"),
        ("`payload`", "syntax", "line 1, column 1"),
        ("amount > 3", "name", "line 1, column 1"),
        ("true || order.amount > 3", "name", "line 1, column 9"),
        ("payload.items.exists(payload, true)", "name", "line 1, column 22"),
        ("__import__('os')", "function", "line 1, column 1"),
        ("payload.items.map(i, i)", "function", "line 1, column 15"),
        ("'a'.matches('(a*)*')", "function", "line 1, column 5"),
        (
            "payload.a.all(a, payload.b.all(b, true))",
            "nesting",
            "line 1, column 28",
        ),
        ("(" * 21 + "true" + ")" * 21, "depth", "line 1, column 21"),
        ("true" + " || true" * 200, "length", "line 1, column 1"),
        ("'a\x00' == 'a'", "characters", "line 1, column 1"),
        ("'\ud800' == 'a'", "characters", "line 1, column 1"),
    ],
)
def test_broken_condition_names_rule_and_place(source: str, rule: str, place: str) -> None:
    with pytest.raises(InvalidExpression) as caught:
        compile_condition(source)
    assert caught.value.rule == rule
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("payload.nothing > 3", "there is no field 'nothing'"),
        ("payload.amount + 'x' == 'x'", "overload"),
        ("payload.amount / 0 == 1", "division by zero"),
        ("9223372036854775807 + payload.amount > 0", "overflow"),
        ("payload.amount", "must be true or false; it is a int"),
        ("timestamp('yesterday') < now", "failed"),
    ],
)
def test_condition_without_an_answer_says_why(source: str, reason: str) -> None:
    with pytest.raises(EvaluationFailed, match=reason):
        evaluation().holds(source, "UTC")


def test_number_too_large_for_the_language_is_no_fault() -> None:
    assert evaluation({"amount": 2**64 - 1}).holds("payload.amount > 3", "UTC") is True


def test_failing_condition_leaves_the_others_alone() -> None:
    facts = evaluation()
    with pytest.raises(EvaluationFailed):
        facts.holds("payload.nothing > 3", "UTC")
    assert facts.holds("payload.amount == 50", "UTC")


@pytest.mark.parametrize(
    "source",
    [
        "payload.items.exists(i, payload.items == payload.items && false)",
        "payload.items.filter(i, payload.text + payload.text == '').size() == 0",
        "payload.items.all(i, i.k != '' && i.k != 'a' && i.k != 'b') && payload.items.filter(i, true).size() > 0",
        " || ".join(["payload.items == [payload.items]"] * 25),
        " + ".join(["payload.text"] * 60) + " == ''",
        "payload.numbers.exists(i, i in [" + ",".join(["-1"] * 250) + "])",
        "payload.numbers.filter(i, i > 0).filter(i, i > 1).filter(i, i > 2).size() == 0",
        "payload.numbers.exists_one(i, payload.text.contains('b'))",
    ],
)
def test_worst_payloads_are_refused_or_quick(source: str) -> None:
    """Every payload is as large as it may be; a condition answers in time or is told to cost too much."""
    payloads: list[dict[str, Any]] = [
        {"items": [{"k": "x" * 30} for _ in range(380)], "text": "", "numbers": []},
        {"items": [], "text": "a" * 16_000, "numbers": []},
        {"items": [], "text": "", "numbers": list(range(1, 3_300))},
    ]
    for payload in payloads:
        started = time.perf_counter()
        with suppress(EvaluationFailed):
            evaluation(payload).holds(source, "UTC")
        # Ten times what is measured, because machines are shared.
        assert time.perf_counter() - started < 2


def test_conditions_of_one_event_share_a_bound_of_work() -> None:
    facts = evaluation({"items": [{"k": "x" * 30} for _ in range(300)]})
    source = "payload.items.filter(i, i.k == 'y').size() == 0"
    assert facts.holds(source, "UTC")
    used = WORK_PER_EVENT_MAX - facts.work_left
    assert used > 0
    while facts.work_left >= used:
        assert facts.holds(source, "UTC")
    with pytest.raises(EvaluationFailed, match="cost too much"):
        facts.holds(source, "UTC")


def test_conditions_are_compiled_once() -> None:
    assert compile_condition("payload.amount > 1") is compile_condition("payload.amount > 1")


PIECES = [
    *"(){}[].,?:!-+*/%<>'\"\\ \n|&=",
    *[
        "payload",
        "items",
        "exists",
        "all",
        "filter",
        "i",
        "1",
        "1.5",
        "true",
        "in",
        "'a'",
        "r'",
        "1u",
    ],
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_no_text_is_a_fault(source: str) -> None:
    with suppress(InvalidExpression, EvaluationFailed):
        evaluation().holds(source, "UTC")
