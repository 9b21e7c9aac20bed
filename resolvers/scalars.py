"""Scalars that are exact: Decimal without binary floating point, DateTime with its offset, JSON objects."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NewType

import orjson
import strawberry
from graphql import (
    FloatValueNode,
    GraphQLError,
    IntValueNode,
    ObjectValueNode,
    StringValueNode,
    ValueNode,
    print_ast,
    value_from_ast_untyped,
)
from strawberry.types.scalar import ScalarDefinition

JSON = NewType("JSON", dict[str, Any])

DIGITS_MAX = 30
NESTING_MAX = 32
SHOWN_CHARACTERS_MAX = 60
_UTC_AS_Z = orjson.OPT_UTC_Z

# As in JSON, without its exponents: no sign but minus, no leading zeros, digits on both sides of the point.
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
# RFC 3339 section 5.6. Python reads the first six digits of a fraction and drops the others.
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def parse_decimal(value: object) -> Decimal:
    """Return the exact decimal of a string, a whole number, or a JSON number by its shortest text.

    Raises:
        GraphQLError: it is not a plain decimal of at most 30 digits.
    """
    if isinstance(value, bool):
        raise _decimal_refused(value)
    if isinstance(value, float):
        # The shortest text that reads back as the same number is what the client wrote.
        value = format(Decimal(repr(value)), "f")
    # A whole number with too many digits is refused before Python spends time on writing it.
    elif isinstance(value, int) and value.bit_length() <= DIGITS_MAX * 4:
        value = str(value)
    if not isinstance(value, str) or len(value) > DIGITS_MAX + 2:
        raise _decimal_refused(value)
    if _DECIMAL.fullmatch(value) is None or sum(map(str.isdigit, value)) > DIGITS_MAX:
        raise _decimal_refused(value)
    number = Decimal(value)
    # Zero has one spelling.
    return number or abs(number)


def parse_decimal_literal(node: ValueNode, _variables: Mapping[str, Any] | None = None) -> Decimal:
    """Return the exact decimal that a document's literal spells.

    Raises:
        GraphQLError: it is not a plain decimal of at most 30 digits.
    """
    if isinstance(node, StringValueNode | IntValueNode | FloatValueNode):
        return parse_decimal(node.value)
    raise _decimal_refused(print_ast(node))


def format_decimal(value: Decimal | int) -> str:
    """Return plain digits, never an exponent.

    Raises:
        ValueError: the value is NaN or infinite.
    """
    text = str(value)
    # Of nearly all amounts this is the text: whole units, or some decimals, and no exponent.
    if value and "E" not in text and value.__class__ is Decimal and value.is_finite():
        return text
    number = Decimal(value)
    if not number.is_finite():
        message = f"not a finite amount: {value}"
        raise ValueError(message)
    return format(number or abs(number), "f")


def parse_date_time(value: object) -> datetime:
    """Return the moment an RFC 3339 text names.

    Raises:
        GraphQLError: it is not RFC 3339 with an offset, or no such moment exists.
    """
    if isinstance(value, str) and _DATE_TIME.fullmatch(value):
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    message = f"DateTime must be RFC 3339 with an offset, such as 2026-11-23T09:30:00Z; got {_show(value)}."
    raise GraphQLError(message)


def format_date_time(value: datetime | str) -> str:
    """Return RFC 3339 in UTC with `Z`; a fraction of a second has six digits, or is left out if zero.

    Text is taken to be that already: some lists have their times written by PostgreSQL.
    """
    if isinstance(value, str):
        return value
    # Three times as fast as Python's own isoformat.
    moment = value if value.tzinfo is UTC else value.astimezone(UTC)
    return orjson.dumps(moment, option=_UTC_AS_Z)[1:-1].decode()


def parse_json(value: object) -> JSON:
    """Return a JSON object; its size and characters are for the domain to judge.

    Raises:
        GraphQLError: it is not an object, or is nested too deeply.
    """
    if not isinstance(value, dict):
        message = f"JSON must be an object; got {_show(value)}."
        raise GraphQLError(message)
    _check_nesting(value)
    return JSON(value)


def parse_json_literal(node: ValueNode, variables: Mapping[str, Any] | None = None) -> JSON:
    """Return the JSON object that a document's literal spells, with its variables filled in.

    Raises:
        GraphQLError: it is not an object, or is nested too deeply.
    """
    if not isinstance(node, ObjectValueNode):
        message = f"JSON must be an object; got {_show(print_ast(node))}."
        raise GraphQLError(message)
    return parse_json(value_from_ast_untyped(node, dict(variables or {})))


def _check_nesting(value: object) -> None:
    """Refuse deep nesting level by level, so that no depth can exhaust the stack."""
    level: list[Any] = [value]
    for _ in range(NESTING_MAX + 1):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
        if not level:
            return
    message = f"JSON must not be nested more than {NESTING_MAX} levels deep."
    raise GraphQLError(message)


def _decimal_refused(value: object) -> GraphQLError:
    return GraphQLError(
        f'Decimal must be a plain decimal such as "12.50", of at most {DIGITS_MAX} digits, without an exponent; '
        f"got {_show(value)}."
    )


def _show(value: object) -> str:
    # Nothing long is echoed, and a huge number is never written out in digits.
    if isinstance(value, int) and value.bit_length() > DIGITS_MAX * 4:
        return "a larger number"
    text = repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"
    return text if len(text) <= SHOWN_CHARACTERS_MAX else f"{text[:SHOWN_CHARACTERS_MAX]}…"


SCALARS: dict[object, ScalarDefinition] = {
    Decimal: strawberry.scalar(
        name="Decimal",
        description=(
            'An exact decimal. Answered as a string of plain digits such as "12.50". Accepted as such a string, as a '
            "whole number, or as a JSON number, which is read by its shortest text. At most 30 digits; never NaN, "
            "infinity or an exponent."
        ),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259#section-6",
        serialize=format_decimal,
        parse_value=parse_decimal,
        parse_literal=parse_decimal_literal,
    ),
    datetime: strawberry.scalar(
        name="DateTime",
        description=(
            "A moment, as RFC 3339 with an offset. Answered in UTC with `Z`, with microseconds where there are any."
        ),
        specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
        serialize=format_date_time,
        parse_value=parse_date_time,
    ),
    JSON: strawberry.scalar(
        name="JSON",
        description="A JSON object.",
        specified_by_url="https://www.rfc-editor.org/rfc/rfc8259",
        serialize=dict,
        parse_value=parse_json,
        parse_literal=parse_json_literal,
    ),
}
