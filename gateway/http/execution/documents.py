"""The operations of one document, each compiled when it is first asked for."""

from __future__ import annotations

from collections.abc import Mapping
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
_KNOWN_DIRECTIVES = {GraphQLSkipDirective.name, GraphQLIncludeDirective.name}


class CompiledDocument:
    """A validated document, and what has been compiled of it."""

    def __init__(self, document: DocumentNode) -> None:
        """Look at the document once; nothing is compiled yet."""
        definitions = document.definitions
        self._operations = {
            node.name.value if node.name else None: node
            for node in definitions
            if isinstance(node, OperationDefinitionNode)
        }
        self._fragments = {
            node.name.value: node
            for node in definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        finder = _FindsSwitches()
        visit(document, finder)
        self._switches = sorted(finder.switches)
        self._is_supported = not finder.is_foreign and len(self._switches) <= SWITCHES_MAX
        self._compiled: dict[Any, CompiledOperation | None] = {}
        self._uses = 0

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
        whoever sends each document once would pay for both.
        """
        self._uses += 1
        if not self._is_supported or self._uses < compile_at_use:
            return None
        values = tuple(given.get(name, MISSING) for name in self._switches)
        if not all(value is MISSING or isinstance(value, bool) for value in values):
            return None
        key = (id(operation), values)
        if key not in self._compiled:
            try:
                compiled = compile_operation(schema, operation, self._fragments, given)
            except Unsupported:
                compiled = None
            except Unfit:
                # These variables are wrong; others may not be.
                return None
            self._compiled[key] = compiled
        return self._compiled[key]


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
