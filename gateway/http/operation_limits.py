"""Validation rules that bound what one document may ask for, in time linear in its length.

Strawberry's own depth and alias limiters walk a fragment again for every spread of it, so that a
short document of fragments that spread each other twice keeps them busy for ever. Here each
fragment is measured once. These limits also bound what the other validation rules cost: those
compare fields, fragments and literals in pairs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    ValidationContext,
    ValidationRule,
)

DEPTH_MAX: Final = 15
ALIASES_MAX: Final = 30
FIELDS_MAX: Final = 400
# Fields that are merged under one key of the answer are compared in pairs.
SAME_KEY_MAX: Final = 50
OPERATIONS_MAX: Final = 50
FRAGMENTS_MAX: Final = 100
VARIABLES_MAX: Final = 100
DIRECTIVES_MAX: Final = 100
# Of one field's arguments, and of one object literal.
NAMES_MAX: Final = 100
SHOWN_MAX: Final = 1_000_000
INTROSPECTION_FIELDS: Final = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class OperationSize:
    """How large a selection is once its fragments are spread."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0


class OperationLimitsRule(ValidationRule):
    """Refuse documents with too many parts, and operations that are too deep, too wide or alias too much.

    Depth inside of introspection is graphql-core's to limit, and does not count here.
    """

    def __init__(self, context: ValidationContext) -> None:
        """Start with no fragment measured."""
        super().__init__(context)
        self._fragment_sizes: dict[str, OperationSize] = {}
        self._directives = 0

    def enter_document(self, node: DocumentNode, *_: Any) -> None:
        """Count the definitions."""
        operations = sum(isinstance(part, OperationDefinitionNode) for part in node.definitions)
        fragments = sum(isinstance(part, FragmentDefinitionNode) for part in node.definitions)
        self._limit(operations, OPERATIONS_MAX, "The document", "operations", node)
        self._limit(fragments, FRAGMENTS_MAX, "The document", "fragments", node)

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Measure one operation and report each limit that it breaks."""
        variables = len(node.variable_definitions or ())
        self._limit(variables, VARIABLES_MAX, "The operation", "variables", node)
        size = self._measure(node.selection_set)
        self._limit(size.depth, DEPTH_MAX, "The operation", "levels", node)
        self._limit(size.fields, FIELDS_MAX, "The operation", "fields", node)
        self._limit(size.aliases, ALIASES_MAX, "The operation", "aliases", node)
        # Merging spreads fragments: only an operation within the limits is merged.
        if size.fields <= FIELDS_MAX:
            self._limit_merged([node.selection_set])

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Count a field's arguments."""
        self._limit(len(node.arguments or ()), NAMES_MAX, "A field", "arguments", node)

    def enter_object_value(self, node: ObjectValueNode, *_: Any) -> None:
        """Count the names of an object literal."""
        self._limit(len(node.fields), NAMES_MAX, "An object", "names", node)

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        """Count the document's directives."""
        self._directives += 1
        if self._directives == DIRECTIVES_MAX + 1:
            self.report_error(
                GraphQLError(
                    f"The document has more than {DIRECTIVES_MAX} directives; at most {DIRECTIVES_MAX} are allowed.",
                    node,
                )
            )

    def _limit(self, found: int, allowed: int, whole: str, parts: str, node: Node) -> None:
        if found > allowed:
            # Fragments that spread each other can reach numbers too long to write out.
            shown = found if found <= SHOWN_MAX else f"more than {SHOWN_MAX}"
            message = f"{whole} has {shown} {parts}; at most {allowed} are allowed."
            self.report_error(GraphQLError(message, node))

    def _measure(self, selection_set: SelectionSetNode | None) -> OperationSize:
        depth = fields = aliases = 0
        for selection in selection_set.selections if selection_set else ():
            size = self._measure_selection(selection)
            depth = max(depth, size.depth)
            fields += size.fields
            aliases += size.aliases
        return OperationSize(depth, fields, aliases)

    def _measure_selection(self, selection: SelectionNode) -> OperationSize:
        if isinstance(selection, FragmentSpreadNode):
            return self._measure_fragment(selection.name.value)
        if isinstance(selection, InlineFragmentNode):
            return self._measure(selection.selection_set)
        assert isinstance(selection, FieldNode)  # noqa: S101 - the grammar has no fourth kind
        size = self._measure(selection.selection_set)
        is_introspection = selection.name.value in INTROSPECTION_FIELDS
        return OperationSize(
            depth=0 if is_introspection else size.depth + 1,
            fields=size.fields + 1,
            aliases=size.aliases + (selection.alias is not None),
        )

    def _measure_fragment(self, name: str) -> OperationSize:
        if name not in self._fragment_sizes:
            # A fragment that spreads itself is another rule's error; it must only end here.
            self._fragment_sizes[name] = OperationSize()
            if (fragment := self.context.get_fragment(name)) is not None:
                self._fragment_sizes[name] = self._measure(fragment.selection_set)
        return self._fragment_sizes[name]

    def _limit_merged(self, selection_sets: Sequence[SelectionSetNode]) -> None:
        """Count the fields under each key, merging selections as execution does; at most `FIELDS_MAX` are visited."""
        merged: dict[str, list[FieldNode]] = {}
        for field in self._spread(selection_sets, set()):
            merged.setdefault((field.alias or field.name).value, []).append(field)
        for key, fields in merged.items():
            self._limit(len(fields), SAME_KEY_MAX, "A selection", f"fields named {key}", fields[0])
            if nested := [field.selection_set for field in fields if field.selection_set]:
                self._limit_merged(nested)

    def _spread(
        self, selection_sets: Iterable[SelectionSetNode], spread_names: set[str]
    ) -> Iterator[FieldNode]:
        """Give the fields of these selections, each fragment once, as execution does."""
        for selection_set in selection_sets:
            for selection in selection_set.selections:
                if isinstance(selection, FieldNode):
                    yield selection
                elif isinstance(selection, InlineFragmentNode):
                    yield from self._spread([selection.selection_set], spread_names)
                elif isinstance(selection, FragmentSpreadNode):
                    name = selection.name.value
                    if name in spread_names:
                        continue
                    spread_names.add(name)
                    if (fragment := self.context.get_fragment(name)) is not None:
                        yield from self._spread([fragment.selection_set], spread_names)


class NoNulTextRule(ValidationRule):
    """Refuse string literals with the NUL character, which PostgreSQL text cannot hold."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        """Report a literal that holds NUL."""
        if "\0" in node.value:
            self.report_error(
                GraphQLError("Text must not contain the NUL character (U+0000).", node)
            )
