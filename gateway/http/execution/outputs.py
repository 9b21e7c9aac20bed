"""Objects, lists and unions in answers: the functions that turn what resolvers return into JSON.

Each selection on an object type becomes one function of the object and the `Run`. Fields that are there at once are completed in
place; what has to be awaited is left to the run, which puts it where it belongs: no coroutine for each field or object.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any, Final

from graphql import (
    GraphQLAbstractType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    default_field_resolver,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetailsList, FragmentDetails, collect_subfields
from graphql.execution.values import VariableValues
from graphql.language import OperationDefinitionNode
from graphql.pyutils import Path
from strawberry import Schema

from gateway.http.execution.calls import FieldCall, FieldPlace, write_call
from gateway.http.execution.classes import class_of, class_returned_for, definition_of
from gateway.http.execution.leaves import write_leaf, write_usual_leaf
from gateway.http.execution.source import Source, Unsupported, Usual

TYPE_NAME = "__typename"
# Fields and functions of one operation. A field of an interface is written for each type that implements it, so that a short
# document could ask for very many; writing these takes about a tenth of a second.
WRITTEN_MAX: Final = 2_000


class OutputWriter:
    """Writes one function for each object type of each selection."""

    def __init__(
        self,
        schema: Schema,
        source: Source,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDetails],
        variable_values: VariableValues,
    ) -> None:
        """Start with no field; `variable_values` decide what is skipped and included."""
        self.calls: list[FieldCall] = []
        self.written = 0
        self._dispatches: dict[tuple[object, ...], dict[type, Any]] = {}
        self._objects: dict[tuple[object, ...], str] = {}
        self._schema = schema
        self._graphql_schema: GraphQLSchema = schema._schema
        self._source = source
        self._operation = operation
        self._fragments = fragments
        self._variable_values = variable_values

    @property
    def dispatches(self) -> Iterable[dict[type, Any]]:
        """Return what unions and interfaces are completed by: a function for each class, by its name until all are compiled."""
        return self._dispatches.values()

    def write_object(
        self, object_type: GraphQLObjectType, fields: dict[str, FieldDetailsList], path: Path | None
    ) -> str:
        """Write the function that completes an object, and return its name.

        Raises:
            Unsupported: some field is not for compiled code, or there are too many.
        """
        self.written += 1 + len(fields)
        if self.written > WRITTEN_MAX:
            raise Unsupported("so many fields")
        lines = ["out = {}"]
        for key, details in fields.items():
            lines += self._field(object_type, key, details, path)
        return self._source.define(self._source.reserve(), "source, run", [*lines, "return out"])

    def write_root(
        self, root_type: GraphQLObjectType, key: str, details: FieldDetailsList
    ) -> tuple[str, str]:
        """Write a root field of a mutation as two functions, and return their names: what calls it, and what completes it."""
        if details[0].node.name.value == TYPE_NAME:
            call = self._source.define(
                self._source.reserve(), "source, run", [f"return {root_type.name!r}"]
            )
            return call, self._finish("v")
        place = self._place(root_type, key, details, None)
        call = self._source.define(
            self._source.reserve(), "source, run", [f"return {self._call(place)[0]}"]
        )
        completed = self._complete(place.definition.type, "v", details, place.path)
        return call, self._finish(completed)

    def _field(
        self, parent: GraphQLObjectType, key: str, details: FieldDetailsList, path: Path | None
    ) -> list[str]:
        """Return the lines that put one field into `out`."""
        if details[0].node.name.value == TYPE_NAME:
            return [f"out[{key!r}] = {parent.name!r}"]
        place = self._place(parent, key, details, path)
        call, may_wait = self._call(place)
        output_type = place.definition.type
        completed = self._complete(output_type, "v", details, place.path)
        finish = self._finish(completed)
        out, lines = f"out[{key!r}]", [f"v = {call}"]
        if may_wait == "always":
            return [*lines, f"{out} = None", f"run.pending.append((out, {key!r}, v, {finish}))"]
        usual = self._usual(output_type, details, place.path)
        if usual is not None:
            lines += [*usual.preparation, f"if {usual.condition}: {out} = {usual.completed}"]
            if not isinstance(output_type, GraphQLNonNull):
                lines.append(f"elif v is None: {out} = None")
            lines.append("else:")
        otherwise = (
            f"run.complete(out, {key!r}, v, {finish})" if may_wait else f"{out} = {finish}(v, run)"
        )
        return [*lines, f"{'' if usual is None else '    '}{otherwise}"]

    def _usual(
        self, output_type: GraphQLOutputType, details: FieldDetailsList, path: Path
    ) -> Usual | None:
        """Return how `v` is completed if it is what nearly all resolvers return for a type, or None if nothing tells that.

        What it completes is there at once, whatever the field: classes of which values can be awaited are not usual.
        """
        if isinstance(output_type, GraphQLNonNull):
            output_type = output_type.of_type
        if isinstance(output_type, GraphQLList):
            return Usual(
                "v.__class__ is list", self._complete_items(output_type, "v", details, path, 0)
            )
        if is_leaf_type(output_type):
            return write_usual_leaf(self._source, output_type, "v")
        if is_abstract_type(output_type):
            functions = self._abstract(output_type, details, path)
            if any(hasattr(origin, "__await__") for origin in functions):
                return None
            find = f"f = {self._source.bind(functions)}.get(v.__class__)"
            return Usual("f is not None", "f(v, run)", (find,))
        assert isinstance(output_type, GraphQLObjectType)  # noqa: S101 - there is no fifth kind of output
        usual = class_returned_for(output_type)
        if hasattr(usual, "__await__"):
            return None
        function = self._object(output_type, details, path)
        return Usual(f"v.__class__ is {self._source.bind(usual)}", f"{function}(v, run)")

    def _place(
        self, parent: GraphQLObjectType, key: str, details: FieldDetailsList, path: Path | None
    ) -> FieldPlace:
        if any(detail.defer_usage or detail.fragment_variable_values for detail in details):
            raise Unsupported(key)
        nodes = [detail.node for detail in details]
        definition = self._graphql_schema.get_field(parent, nodes[0].name.value)
        # Validation knows every other field.
        if definition is None or nodes[0].name.value.startswith("__"):
            raise Unsupported(key)
        return FieldPlace(definition, nodes, parent, Path(path, key, parent.name))

    def _call(self, place: FieldPlace) -> tuple[str, str]:
        """Return the expression for a field's value on `source`, and whether it has to be awaited: "", "maybe" or "always"."""
        field = place.strawberry_field
        if field is not None and field.is_basic_field and not _has_handlers(self._schema, field):
            if self._schema.config.default_resolver is not getattr:
                raise Unsupported(field.python_name)
            return f"source.{field.python_name}", ""
        number = len(self.calls)
        call = FieldCall(self._schema, place)
        self.calls.append(call)
        if field is None or field.extensions or field.base_resolver is None:
            resolve = self._source.bind(place.definition.resolve or default_field_resolver)
            return (
                f"{resolve}(source, run.raw_info({number}), **run.graphql_arguments({number}))",
                "maybe",
            )
        if inspect.isasyncgenfunction(field.base_resolver.wrapped_func):
            raise Unsupported(field.python_name)
        expression = write_call(self._source, self._schema, field, call, number)
        is_async = field.base_resolver.is_async or _has_handlers(self._schema, field)
        return expression, "always" if is_async else "maybe"

    def _finish(self, completed: str) -> str:
        """Write the function that completes an awaited value, and return its name."""
        return self._source.define(self._source.reserve(), "v, run", [f"return {completed}"])

    def _complete(
        self,
        output_type: GraphQLOutputType,
        value: str,
        details: FieldDetailsList,
        path: Path,
        depth: int = 0,
    ) -> str:
        """Return the expression that completes a value: JSON, or an exception if it is not of the type."""
        if not isinstance(output_type, GraphQLNonNull):
            completed = self._complete_non_null(output_type, value, details, path, depth)
            return f"(None if {value} is None else {completed})"
        return self._complete_non_null(output_type.of_type, value, details, path, depth)

    def _complete_non_null(
        self,
        output_type: GraphQLOutputType,
        value: str,
        details: FieldDetailsList,
        path: Path,
        depth: int,
    ) -> str:
        if isinstance(output_type, GraphQLList):
            items = self._complete_items(output_type, value, details, path, depth)
            is_list = f"{value}.__class__ is list or {value}.__class__ is tuple"
            return f"({items} if {is_list} else refuse({value}))"
        if is_leaf_type(output_type):
            return write_leaf(self._source, output_type, value)
        if is_abstract_type(output_type):
            functions = self._source.bind(self._abstract(output_type, details, path))
            return f"{functions}[{value}.__class__]({value}, run)"
        assert isinstance(output_type, GraphQLObjectType)  # noqa: S101 - there is no fifth kind of output
        function = self._object(output_type, details, path)
        usual = self._source.bind(class_returned_for(output_type))
        # What may stand in for a type that implements interfaces is for its own check to say.
        other = "plain" if output_type.is_type_of is None else "refuse"
        return f"{function}({value} if {value}.__class__ is {usual} else {other}({value}), run)"

    def _complete_items(
        self,
        list_type: GraphQLList[GraphQLOutputType],
        value: str,
        details: FieldDetailsList,
        path: Path,
        depth: int,
    ) -> str:
        item = f"x{depth}"
        completed = self._complete(list_type.of_type, item, details, path, depth + 1)
        return f"[{completed} for {item} in {value}]"

    def _object(self, object_type: GraphQLObjectType, details: FieldDetailsList, path: Path) -> str:
        """Return the name of the function for a selection on an object type.

        One serves wherever the same nodes meet the same type, as below several members of a union: otherwise functions would
        multiply with every level.
        """
        key = (object_type.name, *(id(detail.node) for detail in details))
        if key not in self._objects:
            self._objects[key] = self._write_selection(object_type, details, path)
        return self._objects[key]

    def _write_selection(
        self, object_type: GraphQLObjectType, details: FieldDetailsList, path: Path
    ) -> str:
        collected = collect_subfields(
            self._graphql_schema,
            self._fragments,
            self._variable_values,
            self._operation,
            object_type,
            details,
        )
        return self.write_object(object_type, collected.grouped_field_set, path)

    def _abstract(
        self, abstract_type: GraphQLAbstractType, details: FieldDetailsList, path: Path
    ) -> dict[type, Any]:
        """Return the function for each class that may stand for the type; filled in when all are compiled."""
        key = (abstract_type.name, *(id(detail.node) for detail in details))
        if key in self._dispatches:
            return self._dispatches[key]
        if getattr(definition_of(abstract_type), "resolve_type", None):
            raise Unsupported(abstract_type.name)
        functions = self._dispatches[key] = {}
        for object_type in self._graphql_schema.get_possible_types(abstract_type):
            origin = class_of(object_type)
            if origin in functions:
                raise Unsupported(object_type.name)
            functions[origin] = self._object(object_type, details, path)
        return functions


def _has_handlers(schema: Schema, field: Any) -> bool:
    return bool(schema.schema_converter._get_field_exception_handlers(field))
