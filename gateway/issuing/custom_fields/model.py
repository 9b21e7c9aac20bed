"""Custom fields: declarations, values as a caller gives them, and which values a declaration takes. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from gateway.errors import FieldError
from gateway.text import check_text

NAME_LENGTH_MAX = 64
CHOICE_LENGTH_MAX = 200
CHOICES_MAX = 200
FIELDS_PER_ITEM_MAX = 50
FIELDS_PER_ORGANIZATION_MAX = 100
STRING_LENGTH_MAX = 2_000


class CustomFieldType(enum.StrEnum):
    """What values a custom field takes."""

    STRING = "STRING"
    INTEGER = "INTEGER"
    DECIMAL = "DECIMAL"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    ENUM = "ENUM"


class GivenField(NamedTuple):
    """A value as a caller gave it. Decimals are text in their one spelling, dates are text still to be judged."""

    name: str
    kind: CustomFieldType
    value: str | int | bool

    def to_json(self) -> dict[str, Any]:
        """Return the field as the grant's details keep it."""
        return {"name": self.name, "type": self.kind.value, "value": self.value}


@dataclass(frozen=True, slots=True)
class CustomField:
    """A declaration; `choices` are the values of an ENUM, and empty for every other type."""

    name: str
    kind: CustomFieldType
    is_required: bool
    choices: tuple[str, ...] = ()


def check_given(given: Sequence[GivenField], path: tuple[str, ...]) -> list[FieldError]:
    """Return the broken rules of form: what must not reach a statement, and names that stand twice."""
    if len(given) > FIELDS_PER_ITEM_MAX:
        message = f"customFields must be at most {FIELDS_PER_ITEM_MAX}; they are {len(given)}."
        return [FieldError(path, "count", message)]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, field in enumerate(given):
        name_path = (*path, str(index), "name")
        errors += check_text(field.name, name_path, NAME_LENGTH_MAX)
        if isinstance(field.value, str):
            value_path = (*path, str(index), "value")
            errors += check_text(field.value, value_path, STRING_LENGTH_MAX, length_min=0)
        if field.name in seen:
            message = "name must differ from those of the item's other custom fields."
            errors.append(FieldError(name_path, "unique", message))
        seen.add(field.name)
    return errors


def judge(declared: Mapping[str, CustomField], given: Sequence[GivenField]) -> list[str]:
    """Return every reason why an item cannot carry these values: undeclared, mistyped, missing."""
    if not declared and not given:
        return []
    reasons = [reason for field in given if (reason := _judge_one(declared.get(field.name), field))]
    names = {field.name for field in given}
    reasons += [
        f"The custom field {field.name!r} is required."
        for field in declared.values()
        if field.is_required and field.name not in names
    ]
    return reasons


def _judge_one(declared: CustomField | None, given: GivenField) -> str | None:
    if declared is None:
        return f"No custom field {given.name!r} is declared."
    if declared.kind is not given.kind:
        return f"The custom field {given.name!r} is declared as {declared.kind.value}, not {given.kind.value}."
    if given.kind is CustomFieldType.DATE and not _is_date(str(given.value)):
        return f"The custom field {given.name!r} must be a date, as 2026-11-23."
    if given.kind is CustomFieldType.ENUM and given.value not in declared.choices:
        return f"The custom field {given.name!r} must be one of its declared choices."
    return None


def _is_date(text: str) -> bool:
    try:
        # ISO 8601 has other spellings: only the one with hyphens is taken.
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
