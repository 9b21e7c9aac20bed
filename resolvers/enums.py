"""Domain enums as GraphQL enums: the same Python class, with a description for every value."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

EnumClass = TypeVar("EnumClass", bound=enum.EnumMeta)


def expose_enum(
    enum_class: EnumClass,
    description: str,
    values: Mapping[str, str],
    *,
    name: str | None = None,
) -> EnumClass:
    """Make a domain enum usable in GraphQL types, and return it.

    `values` describes every member by name, in GraphQL's own words.

    Raises:
        ValueError: a member has no description, or a description has no member.
    """
    # A type that uses the enum may have been read before this, and then Strawberry has made the definition already.
    if "__strawberry_definition__" not in vars(enum_class):
        strawberry.enum(enum_class)
    definition: StrawberryEnumDefinition = vars(enum_class)["__strawberry_definition__"]
    definition.name = name or enum_class.__name__
    definition.description = description
    undescribed = {value.name for value in definition.values} ^ set(values)
    if undescribed:
        message = f"{enum_class.__name__}: members and descriptions differ in {sorted(undescribed)}"
        raise ValueError(message)
    for value in definition.values:
        value.description = values[value.name]
    return enum_class
