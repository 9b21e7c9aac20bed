"""How a field's resolver is called: with its source, its `Info` and its arguments, the last two made once a request.

A resolver can tell that it runs compiled by these, which none here looks at: `info.path` has no list indexes, and where a selection
serves below several members of a union, it is the path of the first; `info.variable_values` are what resolvers take, not JSON;
`info.input_extensions` is not there. The items of a list share the arguments of a field, and fields share the value of a variable,
so that no resolver may change what it is given.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLResolveInfo,
    Undefined,
    VariableNode,
    Visitor,
    get_argument_values,
    visit,
)
from graphql.pyutils import Path, is_awaitable
from strawberry import ExceptionHandler, Info, Schema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import convert_arguments
from strawberry.types.field import StrawberryField
from strawberry.utils.await_maybe import await_maybe

from gateway.http.execution.inputs import MISSING, is_plain
from gateway.http.execution.source import Source, Unfit

if TYPE_CHECKING:
    from gateway.http.execution.operation import Plan
    from gateway.http.execution.run import Run

Handlers: TypeAlias = Sequence[tuple[tuple[type[Exception], ...], ExceptionHandler[Any]]]


@dataclass(frozen=True, slots=True)
class FieldPlace:
    """One field of the operation: its definition, its nodes in the document, and where it stands."""

    definition: GraphQLField
    nodes: list[FieldNode]
    parent_type: GraphQLObjectType
    path: Path

    @property
    def strawberry_field(self) -> StrawberryField | None:
        """Return Strawberry's field behind it, if there is one."""
        field = self.definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        return field if isinstance(field, StrawberryField) else None


@dataclass(frozen=True, slots=True)
class _VariableArgument:
    """An argument that is one of the operation's variables."""

    python_name: str
    variable_name: str
    default: object
    is_required: bool


class CompiledInfo(Info[Any, None]):
    """Strawberry's view of a field, as far as it is looked at: of most the resolvers want nothing but the context."""

    # In place of Strawberry's property, which asks graphql-core's view.
    context: Any = None

    def __init__(self, call: FieldCall, run: Run) -> None:
        """Keep what the rest is made of; not the run, which holds this: a circle of both would outlive the request."""
        assert call.field is not None  # noqa: S101 - only Strawberry's fields are called so
        self.context = run.context
        self._field = call.field
        self._call = call
        self._plan = run.plan
        self._variables = run.variables
        self._made: GraphQLResolveInfo[Any] | None = None

    @property
    def _raw_info(self) -> GraphQLResolveInfo[Any]:  # type: ignore[override]  # made when it is first looked at
        raw = self._made
        if raw is None:
            raw = self._made = self._call.make_raw_info(self._plan, self.context, self._variables)
        return raw


class FieldCall:
    """What one field's calls share: the parts of its `Info`, and its arguments if they are more than constants."""

    def __init__(self, schema: Schema, place: FieldPlace) -> None:
        """Look at the field's arguments once."""
        self._schema = schema
        self._place = place
        self.field = place.strawberry_field
        self._constants: dict[str, Any] = {}
        self._variables: list[_VariableArgument] = []
        self._is_general = not self._sort_arguments()

    @property
    def has_arguments(self) -> bool:
        """Tell whether the resolver is given any argument of the field's."""
        return bool(self._is_general or self._variables or self._constants)

    def make_raw_info(
        self, plan: Plan, context: object, variables: dict[str, Any]
    ) -> GraphQLResolveInfo[Any]:
        """Make graphql-core's view of the field in one request. Its path has no list indexes: one serves all items."""
        place = self._place
        return GraphQLResolveInfo(
            place.nodes[0].name.value,
            place.nodes,
            place.definition.type,
            place.parent_type,
            place.path,
            self._schema._schema,
            plan.fragments,
            None,
            plan.operation,
            variables,  # type: ignore[arg-type]  # a mapping, as Strawberry passes it
            context,
            is_awaitable,
            None,
            None,  # type: ignore[arg-type]  # helpers for resolvers that start work of their own; none of ours does
        )

    def make_info(self, run: Run) -> Info[Any, None]:
        """Make Strawberry's view of the field in this request."""
        return CompiledInfo(self, run)

    def make_arguments(self, run: Run) -> dict[str, Any]:
        """Return the resolver's arguments in this request, by their names in Python.

        Raises:
            Unfit: a variable is missing or null where the argument must not be.
        """
        if self._is_general:
            return self._convert(self.make_graphql_arguments(run))
        arguments = dict(self._constants)
        for argument in self._variables:
            value = run.variables.get(argument.variable_name, argument.default)
            if value is MISSING or (value is None and argument.is_required):
                if argument.is_required:
                    raise Unfit(argument.variable_name)
                continue
            arguments[argument.python_name] = value
        return arguments

    def make_graphql_arguments(self, run: Run) -> dict[str, Any]:
        """Return the arguments as graphql-core coerces them, by their names in GraphQL."""
        return get_argument_values(
            self._place.definition, self._place.nodes[0], run.variable_values
        )

    def _sort_arguments(self) -> bool:
        """Tell constants from variables; False if some argument is neither."""
        if self.field is None:
            return False
        definition, node = self._place.definition, self._place.nodes[0]
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        constants: dict[str, Any] = {}
        if any(_has_variables(value) for value in given.values()):
            for name, value in given.items():
                argument = definition.args[name]
                strawberry_argument = argument.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
                if not isinstance(value, VariableNode) or strawberry_argument.is_maybe:
                    return False
                default = argument.default_value
                if default is Undefined:
                    default = MISSING
                elif not is_plain(default):
                    return False
                is_required = isinstance(argument.type, GraphQLNonNull)
                self._variables.append(
                    _VariableArgument(
                        strawberry_argument.python_name, value.name.value, default, is_required
                    )
                )
            left_out = {name: a for name, a in definition.args.items() if name not in given}
            constants = {
                name: argument.default_value
                for name, argument in left_out.items()
                if argument.default_value is not Undefined
            }
        elif definition.args:
            constants = get_argument_values(definition, node)
        self._constants = self._convert(constants)
        # An input object is made anew for each request.
        return all(_is_shareable(value) for value in self._constants.values())

    def _convert(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        field = self.field
        assert field is not None  # noqa: S101 - only Strawberry's fields are called so
        converter = self._schema.schema_converter
        return convert_arguments(
            dict(arguments), field.arguments, converter.scalar_registry, self._schema.config
        )


def write_call(
    source: Source, schema: Schema, field: StrawberryField, call: FieldCall, number: int
) -> str:
    """Return the expression that calls a Strawberry field's resolver on `source`; it may be something to await."""
    resolver = field.base_resolver
    assert resolver is not None  # noqa: S101 - basic fields are read, not called
    parameters = []
    if resolver.self_parameter:
        parameters.append("source")
    parameters += [
        f"{parameter.name}=source"
        for parameter in (resolver.parent_parameter, resolver.root_parameter)
        if parameter
    ]
    handlers: Handlers = schema.schema_converter._get_field_exception_handlers(field)
    if resolver.info_parameter:
        # Asked for once for each item of a list: a look costs less than a call.
        info = f"(run.infos[{number}] or run.info({number}))"
        parameters.append(f"{resolver.info_parameter.name}={info}")
    if call.has_arguments:
        parameters.append(f"**run.arguments({number})")
    function = source.bind(resolver.wrapped_func)
    expression = f"{function}({', '.join(parameters)})"
    if not handlers:
        return expression
    handled = source.bind(_Handled(field, handlers))
    return f"{handled}(lambda: {expression}, run.info({number}))"


class _Handled:
    """Calls a resolver and turns the exceptions that its field has answers for into those answers."""

    def __init__(self, field: StrawberryField, handlers: Handlers) -> None:
        self._field = field
        self._handlers = handlers

    async def __call__(self, call: Callable[[], Any], info: Info[Any, None]) -> Any:
        try:
            return await await_maybe(call())
        except Exception as error:
            for classes, handler in self._handlers:
                if isinstance(error, classes):
                    answer = await await_maybe(handler.handle(error, field=self._field, info=info))
                    if answer is None:
                        raise
                    return answer
            raise


class _FindsVariable(Visitor):
    found = False

    def enter_variable(self, *_: Any) -> None:
        self.found = True


def _has_variables(value: Any) -> bool:
    finder = _FindsVariable()
    visit(value, finder)
    return finder.found


def _is_shareable(value: object) -> bool:
    """Tell whether a converted constant is a scalar or an enum, which nobody can change."""
    if isinstance(value, enum.Enum):
        return True
    return is_plain(value) and not hasattr(type(value), "__strawberry_definition__")
