"""Text and JSON that the database cannot hold are refused with the field's name."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gateway.errors import FieldError
from gateway.text import check_json, check_text

PATH = ("input", "notes")


@pytest.mark.parametrize("value", ["a", "tab\tand\r\nlines", "emoji 🎉", "עברית", "x" * 10, None])
def test_ordinary_text_passes(value: str | None) -> None:
    assert check_text(value, PATH, 20) == []


@pytest.mark.parametrize(
    ("value", "rule", "message"),
    [
        ("a\x00b", "characters", "notes must not contain the NUL character."),
        (
            "a\ud83d",
            "characters",
            "notes must be valid Unicode: it contains half of a surrogate pair.",
        ),
        (
            "a\x1b[31m",
            "characters",
            "notes must not contain control characters other than tab and line breaks.",
        ),
        (
            "a\x85",
            "characters",
            "notes must not contain control characters other than tab and line breaks.",
        ),
        ("", "required", "notes must not be empty."),
        (" \n", "required", "notes must not be empty."),
        ("x" * 6, "length", "notes must have at most 5 characters; it has 6."),
    ],
)
def test_broken_rule_names_the_field(value: str, rule: str, message: str) -> None:
    assert check_text(value, PATH, 5) == [FieldError(PATH, rule, message)]


def test_lower_bound_is_a_rule_of_its_own() -> None:
    assert check_text("", PATH, 5, length_min=0) == []
    message = "notes must have at least 3 characters."
    assert check_text("ab", PATH, 5, length_min=3) == [FieldError(PATH, "length", message)]


def test_no_maximum_means_no_maximum() -> None:
    assert check_text("x" * 1_000_000, PATH) == []


@pytest.mark.parametrize(
    "value", [None, {}, {"a": [1, 2.5, True, None, "x\x1b\n"], "b": {"c": 2**63}}]
)
def test_ordinary_json_passes(value: object) -> None:
    assert check_json(value, PATH) == []


def _nest(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "rule", "message"),
    [
        (
            {"a": ["\x00"]},
            "json",
            "notes must not contain the NUL character or half of a surrogate pair.",
        ),
        (
            {"\udc00": 1},
            "json",
            "notes must not contain the NUL character or half of a surrogate pair.",
        ),
        ({"a": math.nan}, "json", "notes must hold finite numbers only."),
        ({"a": 2**64}, "json", "notes must hold whole numbers of at most 64 bits."),
        ({"a": {1}}, "json", "notes must be JSON; it holds a set."),
        ({1: "a"}, "json", "notes must be JSON; it has a key that is a int."),
        (_nest(40), "json", "notes must not be nested more than 32 levels deep."),
        ({"a": "x" * 20}, "size", "notes must be at most 20 bytes of JSON; it is 28."),
    ],
)
def test_broken_json_names_the_rule(value: object, rule: str, message: str) -> None:
    assert check_json(value, PATH, 20) == [FieldError(PATH, rule, message)]
