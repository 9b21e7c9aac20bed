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

from gateway.http.execution.source import Source, Unfit, Unsupported, Usual, plain

# When a value of a built-in scalar is its own JSON; all others are left to graphql-core.
_BUILT_IN = {
    GraphQLString.name: "{0}.__class__ is str",
    GraphQLID.name: "{0}.__class__ is str",
    GraphQLInt.name: "{0}.__class__ is int and -2147483648 <= {0} <= 2147483647",
    GraphQLBoolean.name: "{0}.__class__ is bool",
}

# What nearly all resolvers return for scalars that have to be written.
_CLASSES: dict[str, tuple[type, ...]] = {"Decimal": (Decimal,), "DateTime": (datetime, str)}


def write_leaf(source: Source, leaf_type: GraphQLLeafType, value: str) -> str:
    """Return the expression that serializes a value, which is not None; it raises for what is not of the type."""
    if isinstance(leaf_type, GraphQLEnumType):
        return f"{source.bind(_names_of(leaf_type))}[{value}]"
    assert isinstance(leaf_type, GraphQLScalarType)  # noqa: S101 - there is no third kind of leaf
    serialize = f"{source.bind(_checked(leaf_type.coerce_output_value))}({value})"
    is_written = _BUILT_IN.get(leaf_type.name)
    return f"({value} if {is_written.format(value)} else {serialize})" if is_written else serialize


def write_usual_leaf(source: Source, leaf_type: GraphQLLeafType, value: str) -> Usual | None:
    """Return how a value is serialized if it is of the class of nearly all, or None if nothing tells that."""
    if isinstance(leaf_type, CustomGraphQLEnumType):
        usual = source.bind(leaf_type.wrapped_cls)
        names = source.bind(_names_of(leaf_type))
        return Usual(f"{value}.__class__ is {usual}", f"{names}[{value}]")
    if (is_written := _BUILT_IN.get(leaf_type.name)) is not None:
        return Usual(is_written.format(value), value)
    if (usual_classes := _CLASSES.get(leaf_type.name)) is None:
        return None
    assert isinstance(leaf_type, GraphQLScalarType)  # noqa: S101 - as above
    serialize = source.bind(leaf_type.coerce_output_value)
    # Of these classes nothing has to be awaited and nothing is an exception: only the text has to be looked at.
    text = f"t if (t := {serialize}({value})).__class__ is str else refuse(t)"
    conditions = [f"{value}.__class__ is {source.bind(usual)}" for usual in usual_classes]
    return Usual(" or ".join(conditions), text)


def _names_of(enum_type: GraphQLEnumType) -> dict[Any, str]:
    """Return the name of each member."""
    if not isinstance(enum_type, CustomGraphQLEnumType):
        raise Unsupported(enum_type.name)
    return {enum_type.wrapped_cls(value.value): name for name, value in enum_type.values.items()}


def _checked(serialize: Callable[[Any], Any]) -> Callable[[Any], Any]:
    # Whether a value can be completed is a matter of its class: each is looked at once.
    plain_classes: set[type] = set()

    def checked(value: Any) -> Any:
        if value.__class__ not in plain_classes:
            plain(value)
            plain_classes.add(value.__class__)
        serialized = serialize(value)
        if serialized is None or serialized is Undefined:
            raise Unfit(type(value).__name__)
        return serialized

    return checked
