"""The operations of one document, each compiled when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLIncludeDirective,
    GraphQLSkipDirective,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)
from strawberry import Schema

from gateway.http.execution.inputs import MISSING
from gateway.http.execution.operation import CompiledOperation, compile_operation
from gateway.http.execution.source import Unfit, Unsupported

# An operation is compiled once for each combination of the variables that its `@skip` and `@include` look at.
SWITCHES_MAX: Final = 4
# Of one document: operations and combinations compiled, and the fields and functions in them. The rest is left to graphql-core.
COMPILED_MAX: Final = 64
WRITTEN_MAX: Final = 4_000
_KNOWN_DIRECTIVES = {GraphQLSkipDirective.name, GraphQLIncludeDirective.name}


class CompiledDocument:
    """A validated document, and what has been compiled of it."""

    def __init__(self, document: DocumentNode) -> None:
        """Keep the document; it is looked at when it is first compiled."""
        self._document = document
        self._operations = {
            _name_of(node): node
            for node in document.definitions
            if isinstance(node, OperationDefinitionNode)
        }
        self._compiled: dict[Any, CompiledOperation | None] = {}
        self._uses = 0
        self.written = 0

    @property
    def operations(self) -> list[OperationDefinitionNode]:
        """Return every operation of the document."""
        return list(self._operations.values())

    def find(self, operation_name: str | None) -> OperationDefinitionNode | None:
        """Return the operation of this name, or the only one; None if that is nobody."""
        if operation_name is None and len(self._operations) == 1:
            return next(iter(self._operations.values()))
        return self._operations.get(operation_name) if operation_name is not None else None

    def compile(
        self,
        schema: Schema,
        operation: OperationDefinitionNode,
        given: Mapping[str, Any],
        compile_at_use: int,
    ) -> CompiledOperation | None:
        """Return one of the document's operations, compiled; None where graphql-core has to execute it.

        The document is compiled when it is used for the `compile_at_use`th time: compiling takes as long as validating, and
        whoever sends each document once would pay for both. `written` then says how much has been compiled of it.
        """
        self._uses += 1
        if self._uses < compile_at_use or self._switches is None:
            return None
        values = tuple([given.get(name, MISSING) for name in self._switches])
        if values and not all(value is MISSING or isinstance(value, bool) for value in values):
            return None
        key = (_name_of(operation), values)
        if key not in self._compiled:
            if self.written >= WRITTEN_MAX or len(self._compiled) >= COMPILED_MAX:
                return None
            try:
                self._compiled[key] = self._compile(schema, operation, given)
            except Unfit:
                # These variables are wrong; others may not be.
                return None
        return self._compiled[key]

    def _compile(
        self, schema: Schema, operation: OperationDefinitionNode, given: Mapping[str, Any]
    ) -> CompiledOperation | None:
        try:
            compiled = compile_operation(schema, operation, self.fragments, given)
        except (Unsupported, RecursionError):
            return None
        self.written += compiled.written
        return compiled

    @cached_property
    def fragments(self) -> dict[str, FragmentDefinitionNode]:
        """Return the document's fragments by name."""
        return {
            node.name.value: node
            for node in self._document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }

    @cached_property
    def _switches(self) -> list[str] | None:
        """The variables that decide what is selected; None if there are too many, or directives that nobody here knows."""
        finder = _FindsSwitches()
        visit(self._document, finder)
        if finder.is_foreign or len(finder.switches) > SWITCHES_MAX:
            return None
        return sorted(finder.switches)


def _name_of(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


class _FindsSwitches(Visitor):
    """Finds the variables that decide what is selected, and directives that nobody here knows."""

    def __init__(self) -> None:
        super().__init__()
        self.switches: set[str] = set()
        self.is_foreign = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value not in _KNOWN_DIRECTIVES:
            self.is_foreign = True
        for argument in node.arguments or ():
            if isinstance(argument.value, VariableNode):
                self.switches.add(argument.value.name.value)
