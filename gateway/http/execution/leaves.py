"""Scalars and enums in answers: the expression that turns what a resolver returned into JSON."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)
from strawberry.schema.schema_converter import CustomGraphQLEnumType

from gateway.http.execution.source import Source, Unfit, Unsupported, plain

# The common case of each built-in scalar in a few instructions; all others are left to graphql-core.
_BUILT_IN = {
    GraphQLString.name: "({0} if {0}.__class__ is str else {1}({0}))",
    GraphQLID.name: "({0} if {0}.__class__ is str else {1}({0}))",
    GraphQLInt.name: "({0} if {0}.__class__ is int and -2147483648 <= {0} <= 2147483647 else {1}({0}))",
    GraphQLBoolean.name: "({0} if {0}.__class__ is bool else {1}({0}))",
}

_CLASSES = {
    GraphQLString.name: str,
    GraphQLID.name: str,
    GraphQLInt.name: int,
    GraphQLBoolean.name: bool,
    "Decimal": Decimal,
    "DateTime": datetime,
}


def write_leaf(source: Source, leaf_type: GraphQLLeafType, value: str) -> str:
    """Return the expression that serialises a value, which is not None; it raises for what is not of the type."""
    if isinstance(leaf_type, GraphQLEnumType):
        return f"{source.bind(_names_of(leaf_type))}[{value}]"
    assert isinstance(leaf_type, GraphQLScalarType)  # noqa: S101 - there is no third kind of leaf
    serialise = source.bind(_checked(leaf_type.coerce_output_value))
    return _BUILT_IN.get(leaf_type.name, "{1}({0})").format(value, serialise)


def usual_class_of_leaf(leaf_type: GraphQLLeafType) -> type | None:
    """Return the class of nearly all values that resolvers return for a scalar or enum, or None if nothing tells it."""
    if isinstance(leaf_type, CustomGraphQLEnumType):
        return leaf_type.wrapped_cls
    return _CLASSES.get(leaf_type.name)


def _names_of(enum_type: GraphQLEnumType) -> dict[Any, str]:
    """Return the name of each member."""
    if not isinstance(enum_type, CustomGraphQLEnumType):
        raise Unsupported(enum_type.name)
    return {enum_type.wrapped_cls(value.value): name for name, value in enum_type.values.items()}


def _checked(serialise: Callable[[Any], Any]) -> Callable[[Any], Any]:
    # Whether a value can be completed is a matter of its class: each is looked at once.
    plain_classes: set[type] = set()

    def checked(value: Any) -> Any:
        if value.__class__ not in plain_classes:
            plain(value)
            plain_classes.add(value.__class__)
        serialised = serialise(value)
        if serialised is None or serialised is Undefined:
            raise Unfit(type(value).__name__)
        return serialised

    return checked
