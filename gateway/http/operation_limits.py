"""Validation rules that bound what one operation may ask for, in time linear in its length.

Strawberry's own depth and alias limiters walk a fragment again for every spread of it, so that a
short document of fragments that spread each other twice keeps them busy for ever. Here each
fragment is measured once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    ValidationContext,
    ValidationRule,
)

DEPTH_MAX: Final = 15
ALIASES_MAX: Final = 30
# Comparing fields that may clash takes time quadratic in their number: a quarter second for these.
FIELDS_MAX: Final = 400
SHOWN_MAX: Final = 1_000_000
_INTROSPECTION_FIELDS = frozenset({"__schema", "__type"})


@dataclass(frozen=True, slots=True)
class OperationSize:
    """How large a selection is once its fragments are spread."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0


class OperationLimitsRule(ValidationRule):
    """Refuse operations that are too deep, too wide or alias too much.

    Depth inside of introspection is graphql-core's to limit, and does not count here.
    """

    def __init__(self, context: ValidationContext) -> None:
        """Start with no fragment measured."""
        super().__init__(context)
        self._fragment_sizes: dict[str, OperationSize] = {}

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Measure one operation and report each limit that it breaks."""
        size = self._measure(node.selection_set)
        for name, found, allowed in (
            ("levels", size.depth, DEPTH_MAX),
            ("fields", size.fields, FIELDS_MAX),
            ("aliases", size.aliases, ALIASES_MAX),
        ):
            if found > allowed:
                # Fragments that spread each other can reach numbers too long to write out.
                shown = found if found <= SHOWN_MAX else f"more than {SHOWN_MAX}"
                message = f"The operation has {shown} {name}; at most {allowed} are allowed."
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
        is_introspection = selection.name.value in _INTROSPECTION_FIELDS
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


class NoNulTextRule(ValidationRule):
    """Refuse string literals with the NUL character, which PostgreSQL text cannot hold."""

    def enter_string_value(self, node: StringValueNode, *_: Any) -> None:
        """Report a literal that holds NUL."""
        if "\0" in node.value:
            self.report_error(
                GraphQLError("Text must not contain the NUL character (U+0000).", node)
            )


class IntrospectionNeedsCredentialRule(ValidationRule):
    """Refuse introspection to callers without a credential, outside of development."""

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        """Report a field that reads the schema."""
        if node.name.value in _INTROSPECTION_FIELDS:
            self.report_error(
                GraphQLError(
                    "Introspection needs a credential.",
                    node,
                    extensions={"code": "UNAUTHENTICATED"},
                )
            )
