"""Variables: the functions that turn JSON into what resolvers take, in one step.

graphql-core first makes dictionaries, and Strawberry makes its input classes from them, looking every type up again. Here both are
one function for each input type. It takes what is right and in its usual form; anything else is graphql-core's to coerce or to
refuse, with its own words.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLString,
    Undefined,
    VariableDefinitionNode,
    value_from_ast,
)
from graphql.utilities import type_from_ast
from strawberry.schema.schema_converter import CustomGraphQLEnumType, GraphQLCoreConverter
from strawberry.types.base import StrawberryMaybe, StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from gateway.http.execution.source import Source, Unsupported, refuse

MISSING = object()
# A client may declare a variable as lists of lists as deep as the parser goes, to use it within a scalar that takes anything.
LISTS_MAX: Final = 8

_BUILT_IN = {
    GraphQLString.name: "({0} if {0}.__class__ is str else refuse({0}))",
    GraphQLID.name: "({0} if {0}.__class__ is str else refuse({0}))",
    GraphQLInt.name: "({0} if {0}.__class__ is int and -2147483648 <= {0} <= 2147483647 else refuse({0}))",
    GraphQLBoolean.name: "({0} if {0}.__class__ is bool else refuse({0}))",
}


def is_plain(value: object) -> bool:
    """Tell whether a default or constant can be shared by all requests: nobody can change it."""
    return not isinstance(value, list | dict)


class InputWriter:
    """Writes one function for each input type that variables have."""

    def __init__(self, schema: GraphQLSchema, source: Source) -> None:
        """Start with no function written."""
        self._schema = schema
        self._source = source
        self._missing = source.bind(MISSING)
        self._functions: dict[str, str] = {}
        self.written = 0

    def write_variables(self, definitions: Sequence[VariableDefinitionNode]) -> str:
        """Write the function from the request's variables to coerced ones, and return its name."""
        lines = ["out = {}"]
        self.written += 1 + len(definitions)
        for definition in definitions:
            name = definition.variable.name.value
            variable_type: Any = type_from_ast(self._schema, definition.type)
            lines += [
                f"v = given.get({name!r}, {self._missing})",
                f"if v is not {self._missing}:",
                f"    out[{name!r}] = {self._expression(variable_type, 'v')}",
            ]
            if definition.default_value is not None:
                default = value_from_ast(definition.default_value, variable_type)
                if default is Undefined or not is_plain(default):
                    raise Unsupported(f"the default of ${name}")
                lines += ["else:", f"    out[{name!r}] = {self._source.bind(default)}"]
            elif isinstance(variable_type, GraphQLNonNull):
                lines += ["else:", f"    refuse({self._missing})"]
        return self._source.define(self._source.reserve(), "given", [*lines, "return out"])

    def _expression(self, input_type: GraphQLInputType, value: str, depth: int = 0) -> str:
        """Return the expression that coerces a value; for None too, unless the type forbids it."""
        if not isinstance(input_type, GraphQLNonNull):
            return f"(None if {value} is None else {self._non_null(input_type, value, depth)})"
        return self._non_null(input_type.of_type, value, depth)

    def _non_null(self, input_type: GraphQLInputType, value: str, depth: int) -> str:
        if isinstance(input_type, GraphQLList):
            if depth == LISTS_MAX:
                raise Unsupported("lists of lists")
            item = f"x{depth}"
            items = self._expression(input_type.of_type, item, depth + 1)
            return f"([{items} for {item} in {value}] if {value}.__class__ is list else refuse({value}))"
        if isinstance(input_type, GraphQLInputObjectType):
            return f"{self._function(input_type)}({value})"
        if isinstance(input_type, GraphQLEnumType):
            return f"{self._source.bind(_members_of(input_type))}[{value}]"
        assert isinstance(input_type, GraphQLScalarType)  # noqa: S101 - there is no fifth kind of input
        if input_type.name in _BUILT_IN:
            return _BUILT_IN[input_type.name].format(value)
        return f"{self._source.bind(_checked(input_type.coerce_input_value))}({value})"

    def _function(self, input_type: GraphQLInputObjectType) -> str:
        """Return the name of the function for an input type; types may hold each other."""
        name = self._functions.get(input_type.name)
        if name is None:
            name = self._functions[input_type.name] = self._source.reserve()
            self._write(name, input_type)
        return name

    def _write(self, name: str, input_type: GraphQLInputObjectType) -> None:
        definition = input_type.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if not isinstance(definition, StrawberryObjectDefinition) or definition.from_input:
            raise Unsupported(input_type.name)
        self.written += 1 + len(input_type.fields)
        lines = ["if v.__class__ is not dict: refuse(v)", "known = 0"]
        parameters = []
        for number, (field_name, field) in enumerate(input_type.fields.items()):
            strawberry_field = _strawberry_field(field)
            lines += [
                f"a{number} = v.get({field_name!r}, {self._missing})",
                f"if a{number} is {self._missing}: a{number} = {self._default(field, strawberry_field)}",
                "else:",
                "    known += 1",
                f"    a{number} = {self._expression(field.type, f'a{number}')}",
            ]
            if input_type.is_one_of:
                # Only one may be given, and not as null.
                lines.append(f"    if a{number} is None: refuse(v)")
            parameters.append(f"{strawberry_field.python_name}=a{number}")
        lines.append("if known != len(v): refuse(v)")
        if input_type.is_one_of:
            lines.append("if known != 1: refuse(v)")
        lines.append(f"return {self._source.bind(definition.origin)}({', '.join(parameters)})")
        self._source.define(name, "v", lines)

    def _default(self, field: GraphQLInputField, strawberry_field: StrawberryField) -> str:
        """Return the expression for a field that is left out."""
        if field.default_value is not Undefined:
            default = field.default_value
        elif isinstance(field.type, GraphQLNonNull):
            return f"refuse({self._missing})"
        else:
            default = _python_default(strawberry_field)
        if not is_plain(default):
            raise Unsupported(strawberry_field.python_name)
        return self._source.bind(default)


def _strawberry_field(field: GraphQLInputField) -> StrawberryField:
    strawberry_field = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    if not isinstance(strawberry_field, StrawberryField):
        raise Unsupported("an input field that is not Strawberry's")
    if isinstance(strawberry_field.type, StrawberryMaybe):
        raise Unsupported(strawberry_field.python_name)
    return strawberry_field


def _python_default(field: StrawberryField) -> object:
    """Return what the input class takes for a field that is left out; None if it has no default, as Strawberry does."""
    if field.default_factory is not dataclasses.MISSING:
        raise Unsupported(field.python_name)
    return None if field.default_value is dataclasses.MISSING else field.default_value


def _checked(coerce: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def checked(value: Any) -> Any:
        coerced = coerce(value)
        if coerced is Undefined:
            refuse(value)
        return coerced

    return checked


def _members_of(enum_type: GraphQLEnumType) -> Mapping[str, Any]:
    if not isinstance(enum_type, CustomGraphQLEnumType):
        raise Unsupported(enum_type.name)
    make: Callable[[Any], Any] = enum_type.wrapped_cls
    return {name: make(value.value) for name, value in enum_type.values.items()}
