"""One operation of a document, compiled for the schema, and run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import FragmentDefinitionNode, GraphQLSchema, OperationDefinitionNode, OperationType
from graphql.execution.collect_fields import FragmentDetails, collect_fields
from graphql.execution.values import get_variable_values
from strawberry import Info, Schema

from gateway.http.execution.calls import FieldCall
from gateway.http.execution.inputs import InputWriter
from gateway.http.execution.outputs import OutputWriter
from gateway.http.execution.replay import Outcome, Outcomes
from gateway.http.execution.run import Run
from gateway.http.execution.source import Source, Unfit, Unsupported


@dataclass(frozen=True, slots=True)
class Plan:
    """What all executions of an operation share."""

    schema: GraphQLSchema
    operation: OperationDefinitionNode
    fragments: dict[str, FragmentDefinitionNode]
    calls: list[FieldCall]


@dataclass(frozen=True, slots=True)
class _Mutation:
    """A root field of a mutation: its key in the answer, what calls it, and what completes what it returned."""

    key: str
    call: Callable[[None, Run], Any]
    complete: Callable[[Any, Run], Any]


class CompiledOperation:
    """A query or mutation as Python functions; it may run any number of times at once."""

    def __init__(
        self,
        plan: Plan,
        coerce: Callable[[Mapping[str, Any]], dict[str, Any]],
        query: Callable[[None, Run], dict[str, Any]] | None,
        mutations: list[_Mutation],
        written: int,
    ) -> None:
        """Keep the functions, in which `written` fields, variables and functions stand; use `compile_operation`."""
        self.written = written
        self._plan = plan
        self._coerce = coerce
        self._query = query
        self._mutations = mutations

    async def run(
        self, context: object, given: Mapping[str, Any], outcomes: Outcomes
    ) -> dict[str, Any]:
        """Execute and return the data.

        What each mutation did is put into `outcomes`, under its key in the answer, before anything else can fail.

        Raises:
            Unfit: it did not succeed, for whatever reason; graphql-core has to say how.
        """
        try:
            run = Run(self._plan, context, given, self._coerce(given))
        except Exception as error:
            raise Unfit("variables") from error
        try:
            if self._query is not None:
                data = self._query(None, run)
                await run.settle()
                return data
            return await self._run_mutations(run, outcomes)
        except Exception as error:
            run.abandon()
            raise Unfit("execution") from error

    async def _run_mutations(self, run: Run, outcomes: Outcomes) -> dict[str, Any]:
        """Run one root field after the other, each to its end (GraphQL, section 6.2.2)."""
        data: dict[str, Any] = {}
        for mutation in self._mutations:
            try:
                value = mutation.call(None, run)
                if hasattr(value, "__await__"):
                    value = await value
            except Unfit:
                # Its arguments do not fit: it was not called.
                raise
            except Exception as error:
                outcomes[mutation.key] = Outcome(error=error)
                raise
            outcomes[mutation.key] = Outcome(value=value)
            data[mutation.key] = mutation.complete(value, run)
            await run.settle()
        return data


def compile_operation(
    schema: Schema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
    given: Mapping[str, Any],
) -> CompiledOperation:
    """Compile a validated operation; `given` are variables, of which those of `@skip` and `@include` decide what is selected.

    Raises:
        Unsupported: it has something that only graphql-core executes.
        Unfit: the variables cannot be coerced.
    """
    graphql_schema: GraphQLSchema = schema._schema
    definitions = operation.variable_definitions or ()
    # Whatever is wrong with them, graphql-core says it when it executes.
    variable_values = get_variable_values(graphql_schema, definitions, dict(given), max_errors=0)
    if isinstance(variable_values, list):
        raise Unfit("variables")
    root_type = graphql_schema.get_root_type(operation.operation)
    if root_type is None or operation.operation is OperationType.SUBSCRIPTION:
        raise Unsupported(operation.operation.value)
    if schema.config.info_class is not Info:
        raise Unsupported("an Info of the schema's own")
    details = {name: FragmentDetails(fragment) for name, fragment in fragments.items()}
    source = Source()
    inputs = InputWriter(graphql_schema, source)
    coerce = inputs.write_variables(definitions)
    writer = OutputWriter(schema, source, operation, details, variable_values)
    fields = collect_fields(
        graphql_schema, details, variable_values, root_type, operation
    ).grouped_field_set
    query, roots = None, {}
    if operation.operation is OperationType.QUERY:
        query = writer.write_object(root_type, fields, None)
    else:
        roots = {key: writer.write_root(root_type, key, nodes) for key, nodes in fields.items()}
    functions = source.compile()
    for dispatch in writer.dispatches:
        dispatch |= {origin: functions[name] for origin, name in dispatch.items()}
    return CompiledOperation(
        Plan(graphql_schema, operation, dict(fragments), writer.calls),
        functions[coerce],
        None if query is None else functions[query],
        [_Mutation(key, functions[call], functions[done]) for key, (call, done) in roots.items()],
        inputs.written + writer.written,
    )
