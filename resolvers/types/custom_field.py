"""Custom fields: declarations, values as they are sent, and values as they are shown (CAP-14)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import strawberry

from gateway.issuing.custom_fields import model as domain
from gateway.issuing.custom_fields.model import CustomFieldType, GivenField
from gateway.rewards.rules import plain
from gateway.text import normalize_name
from resolvers.enums import expose_enum

expose_enum(
    CustomFieldType,
    "What values a custom field takes.",
    {
        "STRING": "Text of at most 2,000 characters.",
        "INTEGER": "A whole number of 32 bits.",
        "DECIMAL": "An exact decimal of at most 30 digits.",
        "BOOLEAN": "True or false.",
        "DATE": "A day, as 2026-11-23.",
        "ENUM": "One of the choices that the declaration lists.",
    },
)

# The field of each type, in the input and in the answer.
_NAMES = {
    CustomFieldType.STRING: "string",
    CustomFieldType.INTEGER: "integer",
    CustomFieldType.DECIMAL: "decimal",
    CustomFieldType.BOOLEAN: "boolean",
    CustomFieldType.DATE: "date",
    CustomFieldType.ENUM: "choice",
}


@strawberry.type(description="A custom field that an organization's issued items may carry.")
class CustomField:
    """A declaration."""

    name: str = strawberry.field(description="The field's name, unique in the organization.")
    type: CustomFieldType = strawberry.field(description="What values it takes.")
    required: bool = strawberry.field(description="Whether every item must carry it.")
    choices: list[str] = strawberry.field(
        description="ENUM only: the values it takes; empty for every other type."
    )


@strawberry.type(
    description="A custom field of a grant. The field that its type names holds the value; the others are null."
)
class CustomFieldValue:
    """A name, a type and a value."""

    name: str = strawberry.field(description="The field's name.")
    type: CustomFieldType = strawberry.field(description="Its type: which field holds the value.")
    string: str | None = strawberry.field(default=None, description="The value of a STRING.")
    integer: int | None = strawberry.field(default=None, description="The value of an INTEGER.")
    decimal: Decimal | None = strawberry.field(default=None, description="The value of a DECIMAL.")
    boolean: bool | None = strawberry.field(default=None, description="The value of a BOOLEAN.")
    date: str | None = strawberry.field(default=None, description="The value of a DATE.")
    choice: str | None = strawberry.field(default=None, description="The value of an ENUM.")


@strawberry.input(
    one_of=True, description="A value: exactly one of the fields, the one that its type names."
)
class CustomFieldValueInput:
    """Exactly one of the fields is set."""

    string: str | None = strawberry.field(
        default=strawberry.UNSET, description="For STRING: at most 2,000 characters."
    )
    integer: int | None = strawberry.field(
        default=strawberry.UNSET, description="For INTEGER: a whole number of 32 bits."
    )
    decimal: Decimal | None = strawberry.field(
        default=strawberry.UNSET, description="For DECIMAL: at most 30 digits."
    )
    boolean: bool | None = strawberry.field(
        default=strawberry.UNSET, description="For BOOLEAN: true or false."
    )
    date: str | None = strawberry.field(
        default=strawberry.UNSET, description="For DATE: a day, as 2026-11-23."
    )
    choice: str | None = strawberry.field(
        default=strawberry.UNSET, description="For ENUM: one of the declared choices."
    )


@strawberry.input(description="A custom field of an item.")
class CustomFieldInput:
    """A declared name and a value."""

    name: str = strawberry.field(description="The name of a field that the organization declared.")
    value: CustomFieldValueInput = strawberry.field(description="The value.")


def to_custom_field(field: domain.CustomField) -> CustomField:
    """Return a declaration as its GraphQL type."""
    return CustomField(
        name=field.name, type=field.kind, required=field.is_required, choices=list(field.choices)
    )


def to_given_field(given: CustomFieldInput) -> GivenField:
    """Return a value as a caller gave it; its type is that of the field that holds it."""
    for kind, name in _NAMES.items():
        value = getattr(given.value, name)
        if value is not strawberry.UNSET and value is not None:
            spelled = plain(value) if isinstance(value, Decimal) else value
            if kind is CustomFieldType.ENUM:
                spelled = normalize_name(spelled)
            return GivenField(normalize_name(given.name), kind, spelled)
    message = "an input of exactly one field has none"
    raise ValueError(message)


def to_custom_field_value(stored: Mapping[str, Any]) -> CustomFieldValue:
    """Return a value that a grant keeps as its GraphQL type."""
    kind = CustomFieldType(stored["type"])
    value: Any = stored["value"]
    if kind is CustomFieldType.DECIMAL:
        value = Decimal(value)
    return CustomFieldValue(name=stored["name"], type=kind, **{_NAMES[kind]: value})
