"""Scalars take exactly what their descriptions say, as values and as literals, and answer one spelling."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from graphql import GraphQLError, parse_value
from hypothesis import given
from hypothesis import strategies as st

from resolvers.scalars import (
    DIGITS_MAX,
    NESTING_MAX,
    SCALARS,
    format_date_time,
    format_decimal,
    parse_date_time,
    parse_decimal,
    parse_decimal_literal,
    parse_json,
    parse_json_literal,
)


def nest(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(depth):
        value = {"a": value}
    return value


@pytest.mark.requirement("OWN-3")
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("12.50", "12.50"),
        ("0", "0"),
        ("-0.00", "0.00"),
        ("-7", "-7"),
        (25, "25"),
        (-25, "-25"),
        (25.5, "25.5"),
        (0.1, "0.1"),
        (1e16, "10000000000000000"),
        (1e-5, "0.00001"),
        ("9" * DIGITS_MAX, "9" * DIGITS_MAX),
        ("-" + "9" * (DIGITS_MAX - 1) + ".9", "-" + "9" * (DIGITS_MAX - 1) + ".9"),
    ],
)
def test_decimal_is_exact(value: object, expected: str) -> None:
    assert format_decimal(parse_decimal(value)) == expected


@pytest.mark.requirement("OWN-3")
@pytest.mark.parametrize(
    "value",
    [
        "", " 1", "1 ", "+1", "01", ".5", "5.", "1e3", "1E+2", "NaN", "Infinity", "-Infinity", "1,5", "1_000", "0x10",
        "١", "½", "1.2.3", "--1", "9" * (DIGITS_MAX + 1), "1\n",
        True, False, None, [], {}, float("nan"), float("inf"), 1e300, 10**DIGITS_MAX, pytest.param(10**10_000, id="huge"),
    ],
)  # fmt: skip
def test_decimal_refuses_anything_else(value: object) -> None:
    with pytest.raises(GraphQLError, match="Decimal must be a plain decimal") as refused:
        parse_decimal(value)
    assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    ("literal", "expected"), [('"12.50"', "12.50"), ("12.50", "12.50"), ("12", "12"), ("-3", "-3")]
)
def test_decimal_literal_is_taken_as_written(literal: str, expected: str) -> None:
    assert str(parse_decimal_literal(parse_value(literal))) == expected


@pytest.mark.parametrize("literal", ["1e3", '"1e3"', "true", "[1]", "{a: 1}", "ENUM", "null"])
def test_decimal_literal_refuses_anything_else(literal: str) -> None:
    with pytest.raises(GraphQLError, match="Decimal must be a plain decimal"):
        parse_decimal_literal(parse_value(literal))


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=4, min_value=-(10**20), max_value=10**20
    )
)
def test_decimal_survives_a_round_trip(amount: Decimal) -> None:
    assert parse_decimal(format_decimal(amount)) == amount


def test_decimal_never_answers_an_exponent_or_nonsense() -> None:
    assert format_decimal(Decimal("1E+2")) == "100"
    assert format_decimal(Decimal("1E-7")) == "0.0000001"
    assert format_decimal(7) == "7"
    with pytest.raises(ValueError, match="finite"):
        format_decimal(Decimal("NaN"))


@pytest.mark.requirement("OWN-8")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T09:30:00Z", "2026-11-23T09:30:00Z"),
        ("2026-11-23t09:30:00z", "2026-11-23T09:30:00Z"),
        ("2026-11-23T09:30:00+02:00", "2026-11-23T07:30:00Z"),
        ("2026-11-23T09:30:00-00:30", "2026-11-23T10:00:00Z"),
        ("2026-11-23T09:30:00.5Z", "2026-11-23T09:30:00.500000Z"),
        ("2026-11-23T09:30:00.123456789Z", "2026-11-23T09:30:00.123456Z"),
    ],
)
def test_date_time_is_answered_in_utc(text: str, expected: str) -> None:
    assert format_date_time(parse_date_time(text)) == expected


@pytest.mark.parametrize(
    "value",
    [
        "", "2026", "2026-11-23", "2026-11-23T09:30:00", "2026-11-23 09:30:00Z", "2026-11-23T09:30Z", "2026-13-01T00:00:00Z",
        "2026-11-23T24:00:01Z", "2026-11-23T09:30:60Z", "0001-01-01T00:00:00+14:00", "2026-11-23T09:30:00+25:00",
        "20261123T093000Z", "2026-W47-1T00:00:00Z", "٢٠٢٦-11-23T09:30:00Z", "2026-11-23T09:30:00Z\n", 1763890200, None, True,
    ],
)  # fmt: skip
def test_date_time_refuses_anything_else(value: object) -> None:
    with pytest.raises(GraphQLError, match="DateTime must be RFC 3339"):
        parse_date_time(value)


@given(st.datetimes(timezones=st.just(UTC)))
def test_date_time_survives_a_round_trip(moment: datetime) -> None:
    assert parse_date_time(format_date_time(moment)) == moment


def test_json_takes_objects() -> None:
    assert parse_json({"a": [1, {"b": None}]}) == {"a": [1, {"b": None}]}
    literal = parse_value('{a: [1, {b: null}], c: "x", d: 1.5, e: true}')
    assert parse_json_literal(literal) == {"a": [1, {"b": None}], "c": "x", "d": 1.5, "e": True}


@pytest.mark.parametrize("value", [None, 1, "x", [], True, [{"a": 1}]])
def test_json_refuses_anything_else(value: object) -> None:
    with pytest.raises(GraphQLError, match="JSON must be an object"):
        parse_json(value)


@pytest.mark.parametrize("literal", ["1", '"x"', "[{a: 1}]", "null"])
def test_json_literal_refuses_anything_else(literal: str) -> None:
    with pytest.raises(GraphQLError, match="JSON must be an object"):
        parse_json_literal(parse_value(literal))


def test_json_is_bounded_in_depth_however_deep_it_is() -> None:
    assert parse_json(nest(NESTING_MAX))
    for depth in (NESTING_MAX + 1, 100_000):
        with pytest.raises(GraphQLError, match="nested"):
            parse_json(nest(depth))


def test_every_scalar_says_what_specifies_it() -> None:
    for definition in SCALARS.values():
        assert definition.specified_by_url
        assert definition.description
