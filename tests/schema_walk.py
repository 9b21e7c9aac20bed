"""Walks the schema from a root field as a curious caller would: everything that can be selected, to a depth, less what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graphql import (
    ArgumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLObjectType,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    execute,
    get_named_type,
    is_abstract_type,
    is_composite_type,
    parse,
    parse_value,
)

from gateway.errors import Forbidden
from gateway.http.execution.replay import ReplayingExecutor, refusing
from gateway.http.field_access import (
    DocumentAccess,
    FieldNeeds,
    OperationRefused,
    check_access,
    find_requirement,
)
from resolvers.context import Context
from tests.marked_world import SCHEMA

LEVELS = 6
NEEDS = FieldNeeds(SCHEMA._schema)
NOBODY = '"00000000-0000-7000-8000-000000000000"'
MARK = re.compile(r"secret-of-([a-z0-9]+)-([a-z]+)")
_TYPE_NAME = FieldNode(name=NameNode(value="__typename"), arguments=(), directives=())


@dataclass(slots=True)
class Answer:
    """What came back: every text, and the objects by type and id; and what was refused on the way."""

    texts: set[str] = field(default_factory=set)
    nodes: set[tuple[str, str]] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    @property
    def marks(self) -> set[tuple[str, str]]:
        """Return whose texts were seen, and what they are: pairs of owner and the first word of what."""
        return {mark for text in self.texts for mark in MARK.findall(text.lower())}

    @property
    def owners(self) -> set[str]:
        """Return whose texts were seen."""
        return {owner for owner, _ in self.marks}

    def add(self, other: Answer, sent: str = "") -> None:
        """Take in another answer; what stands in what was sent is no news."""
        self.texts |= {text for text in other.texts if text not in sent}
        self.nodes |= other.nodes
        self.types |= other.types
        self.refused |= other.refused

    def read(self, value: Any) -> None:
        """Take in an answer, or a part of it."""
        if isinstance(value, dict):
            type_name = value.get("__typename", "")
            self.types |= {type_name} - {""}
            for key, item in value.items():
                # JSON may have keys that say something; those of fields do not.
                self.texts |= set() if "__" in key else {key}
                if key == f"{type_name}__id" and isinstance(item, str):
                    self.nodes.add((type_name, item))
                self.read(item)
        elif isinstance(value, list):
            for item in value:
                self.read(item)
        elif value is not None:
            self.texts.add(str(value))


class Walker:
    """Asks as one caller. What was refused once, by type and field, is not asked for again."""

    def __init__(
        self,
        make_context: Callable[[], Context],
        *,
        first: int,
        below: int,
        levels: int = LEVELS,
    ) -> None:
        """Take how many of the lists that the root leads to, and of those that are further down; and how deep to go."""
        self._levels = levels
        self.refused: set[str] = set()
        self._first, self._below = first, below
        self._make_context = make_context
        # By type and levels: selections are shared, or else documents would be of many thousand fields.
        self._selections: dict[tuple[str, int], SelectionSetNode] = {}

    async def query(self, name: str, arguments: str = "") -> Answer:
        """Ask a root field of Query, with arguments as a document has them, for everything below it."""
        return await self._ask("query", name, arguments, {})

    async def mutate(self, name: str, given: Mapping[str, Any]) -> Answer:
        """Ask a root field of Mutation for everything below it."""
        return await self._ask("mutation", name, "(input: $input)", {"input": given})

    async def find(self, ids: Sequence[str]) -> list[bool]:
        """Tell of each id whether `nodes` gives something for it."""
        document = parse("query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }")
        executed = execute(
            SCHEMA._schema,
            document,
            context_value=self._make_context(),
            variable_values={"ids": list(ids)},
        )
        result = executed if isinstance(executed, ExecutionResult) else await executed
        assert result.data is not None
        return [node is not None for node in result.data["nodes"]]

    async def _ask(self, kind: str, name: str, arguments: str, values: Mapping[str, Any]) -> Answer:
        """Ask until nothing below the root field is refused any more, or the root field itself is."""
        answer = Answer()
        root = SCHEMA._schema.query_type if kind == "query" else SCHEMA._schema.mutation_type
        assert root is not None
        if not self._may_ask(root.fields[name]):
            answer.refused.add(name)
            return answer
        while True:
            result = await self._execute(kind, name, arguments, values)
            errors = result.errors or ()
            # A refusal's own words are part of the answer, too.
            answer.texts |= {error.message for error in errors}
            unexpected = [
                error for error in errors if not isinstance(error.original_error, Forbidden)
            ]
            assert unexpected == [], (name, unexpected)
            # Of a mutation that was refused as a whole, the fields stand in the extensions.
            paths = [error.path or (error.extensions or {}).get("fieldPath") for error in errors]
            news = {str(path[-1]) for path in paths if path} - self.refused
            answer.refused |= news
            if not errors or not news or name in news:
                answer.read(result.data)
                return answer
            self.refused |= news
            self._selections.clear()

    def _may_ask(self, graphql_field: GraphQLField) -> bool:
        """Tell whether the caller has the scopes that a field declares; what it has not is refused before anything runs."""
        requirement = find_requirement(graphql_field)
        scopes = self._make_context().caller.scopes
        return requirement is None or requirement.is_met_by(scopes)

    async def _execute(
        self, kind: str, name: str, arguments: str, values: Mapping[str, Any]
    ) -> ExecutionResult:
        """Execute one root field. Validation is left out: these documents are valid, and large."""
        root = SCHEMA._schema.query_type if kind == "query" else SCHEMA._schema.mutation_type
        assert root is not None
        root_field = root.fields[name]
        declared = f"($input: {root_field.args['input'].type})" if values else ""
        document = parse(f"{kind} {declared} {{ {name}{arguments} {{ __typename }} }}")
        (operation,) = document.definitions
        assert isinstance(operation, OperationDefinitionNode)
        (selected,) = operation.selection_set.selections
        assert isinstance(selected, FieldNode)
        below = self._select(get_named_type(root_field.type), self._levels)
        roots = SelectionSetNode(selections=(replace(selected, selection_set=below),))
        operation = replace(operation, selection_set=roots)
        document = replace(document, definitions=(operation,))
        context = self._make_context()
        try:
            refused = check_access(NEEDS, DocumentAccess(document), [operation], context.scopes)
        except OperationRefused as refusal:
            return ExecutionResult(data=None, errors=refusal.errors)
        with refusing(refused):
            executed = execute(
                SCHEMA._schema,
                document,
                context_value=context,
                variable_values=dict(values),
                executor_class=ReplayingExecutor,
            )
            return executed if isinstance(executed, ExecutionResult) else await executed

    def _select(self, graphql_type: GraphQLNamedType, levels: int) -> SelectionSetNode:
        key = graphql_type.name, levels
        if key not in self._selections:
            types: Sequence[GraphQLNamedType] = [graphql_type]
            if is_abstract_type(graphql_type):
                types = SCHEMA._schema.get_possible_types(graphql_type)
            fragments = [
                InlineFragmentNode(
                    type_condition=NamedTypeNode(name=NameNode(value=each.name)),
                    directives=(),
                    selection_set=SelectionSetNode(selections=tuple(self._fields(each, levels))),
                )
                for each in types
                if isinstance(each, GraphQLObjectType)
            ]
            self._selections[key] = SelectionSetNode(selections=(_TYPE_NAME, *fragments))
        return self._selections[key]

    def _fields(self, object_type: GraphQLObjectType, levels: int) -> Iterator[FieldNode]:
        # Where a page stands, and what an edge holds, is no step of the way.
        is_list = object_type.name.endswith(("Connection", "Edge"))
        for name, graphql_field in object_type.fields.items():
            alias = f"{object_type.name}__{name}"
            field_type = get_named_type(graphql_field.type)
            if alias in self.refused or not self._may_ask(graphql_field):
                continue
            below = None
            if is_composite_type(field_type):
                if not is_list and levels == 1:
                    continue
                below = self._select(field_type, levels if is_list else levels - 1)
            yield FieldNode(
                alias=NameNode(value=alias),
                name=NameNode(value=name),
                arguments=tuple(self._arguments(graphql_field, levels)),
                directives=(),
                selection_set=below,
            )

    def _arguments(self, graphql_field: GraphQLField, levels: int) -> Iterator[ArgumentNode]:
        given = {}
        if "first" in graphql_field.args:
            given["first"] = str(self._first if levels >= self._levels else self._below)
        elif "assetId" in graphql_field.args:
            # An asset that nobody has; `balances` has the others.
            given["assetId"] = NOBODY
        for name, value in given.items():
            yield ArgumentNode(name=NameNode(value=name), value=parse_value(value))
