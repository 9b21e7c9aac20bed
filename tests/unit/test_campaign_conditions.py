"""Conditions: what they may say, where a broken one is wrong, and that none of them takes long."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import cel
import orjson
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


# Each field alone is then as large as a payload may be.
ITEMS_MAX = 380


def payload_of(item_count: int) -> dict[str, Any]:
    """Return a payload of three equally large fields, whose size grows with the number."""
    return {
        "items": [{"k": "x" * 30} for _ in range(item_count)],
        "text": "a" * (40 * item_count),
        "numbers": list(range(1, 8 * item_count + 1)),
    }


def size_of(value: object) -> int:
    return len(orjson.dumps(value))


# The costliest conditions that are accepted, each with what evaluating it looks at or copies, in bytes, at the least.
WORST: dict[str, Callable[[dict[str, Any]], int]] = {
    "payload.items.exists(i, payload.items == payload.items && false)": (
        lambda payload: len(payload["items"]) * 2 * size_of(payload["items"])
    ),
    "payload.items.filter(i, payload.text + payload.text == '').size() == 0": (
        lambda payload: len(payload["items"]) * 2 * size_of(payload["text"])
    ),
    # The list that a filter makes is copied at each item.
    "payload.items.all(i, i.k != '' && i.k != 'a' && i.k != 'b') && payload.items.filter(i, true).size() > 0": (
        lambda payload: len(payload["items"]) * size_of(payload["items"]) // 2
    ),
    " || ".join(["payload.items == [payload.items]"] * 25): (
        lambda payload: 50 * size_of(payload["items"])
    ),
    # The second + copies two texts, the third three, and so on.
    " + ".join(["payload.text"] * 60) + " == ''": (
        lambda payload: sum(range(2, 61)) * size_of(payload["text"])
    ),
    "payload.numbers.exists(i, i in [" + ",".join(["-1"] * 60) + "])": (
        lambda payload: len(payload["numbers"]) * 60
    ),
    "payload.numbers.filter(i, i > 0).filter(i, i > 1).filter(i, i > 2).size() == 0": (
        lambda payload: 3 * len(payload["numbers"]) * size_of(payload["numbers"]) // 2
    ),
    "payload.numbers.exists_one(i, payload.text.contains('b'))": (
        lambda payload: len(payload["numbers"]) * size_of(payload["text"])
    ),
}


def charge(source: str, item_count: int) -> int | None:
    """Evaluate the condition and return what it was charged; None if it was told to cost too much."""
    facts = evaluation(payload_of(item_count))
    with suppress(EvaluationFailed):
        facts.holds(source, "UTC")
    return WORK_PER_EVENT_MAX - facts.work_left or None


def find_costliest(source: str) -> tuple[int, int]:
    """Return how many items the condition may have to look at, within a tenth, and what it is charged for that."""
    item_count = ITEMS_MAX
    while (charged := charge(source, item_count)) is None:
        item_count = item_count * 9 // 10
    return item_count, charged


@pytest.mark.parametrize("source", WORST)
def test_worst_conditions_are_charged_for_all_that_they_look_at(source: str) -> None:
    """However large the payload: the charge is within the bound and covers the work, or nothing is evaluated."""
    costliest, _ = find_costliest(source)
    for item_count in (1, costliest // 2, costliest):
        charged = charge(source, item_count)
        assert charged is not None
        assert WORST[source](payload_of(item_count)) <= charged <= WORK_PER_EVENT_MAX


@pytest.mark.parametrize(
    ("source", "steps_per_item"),
    [
        ("numbers.exists(i, look(i) && false)", 1),
        ("numbers.all(i, look(i))", 1),
        ("numbers.exists_one(i, look(i) && look(i))", 2),
        ("numbers.filter(i, look(i)).filter(i, look(i)).size() == 0", 2),
    ],
)
def test_macros_look_at_each_item_once(source: str, steps_per_item: int) -> None:
    """What the charge takes for granted of the library, counted by a function that it calls."""
    steps: list[int] = []

    def look(number: int) -> bool:
        steps.append(number)
        return True

    numbers = list(range(1_000))
    cel.evaluate(source, cel.Context(variables={"numbers": numbers}, functions={"look": look}))
    assert sorted(steps) == sorted(numbers * steps_per_item)


def test_unit_of_work_costs_the_same_whatever_a_condition_does() -> None:
    """The costliest unit, in processor time, is a small multiple of that of a condition which looks at everything 50 times."""

    def measure_unit(source: str) -> float:
        item_count, charged = find_costliest(source)
        times = []
        for _ in range(3):
            facts = evaluation(payload_of(item_count))
            started = time.thread_time()
            facts.holds(source, "UTC")
            times.append(time.thread_time() - started)
        return min(times) / charged

    units = {source: measure_unit(source) for source in WORST}
    plain = next(unit for source, unit in units.items() if "[payload.items]" in source)
    # Measured, none costs more than the plain one. If any were quadratic in its work, it would cost hundreds of it.
    assert {source for source, unit in units.items() if unit > 10 * plain} == set()


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
