"""What a field's selection asks for, so that a list reads only that."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import finalize

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    SelectionSetNode,
)

from resolvers.context import Info

# By a node's identity, as long as it lives: documents are kept, and nodes are compared field by field.
_known: dict[int, frozenset[str]] = {}


def selected_names(info: Info) -> frozenset[str]:
    """Return the names of the fields that stand anywhere below the field being resolved.

    Types and directives that leave some out are not looked at: the answer only decides what to read along.
    """
    raw = info._raw_info
    nodes, fragments = raw.field_nodes, raw.fragments
    if len(nodes) == 1:
        return _names_below(nodes[0], fragments)
    return frozenset().union(*(_names_below(node, fragments) for node in nodes))


def _names_below(node: FieldNode, fragments: dict[str, FragmentDefinitionNode]) -> frozenset[str]:
    key = id(node)
    names = _known.get(key)
    if names is None:
        names = _known[key] = frozenset(_walk(node.selection_set, fragments))
        finalize(node, _known.pop, key, None)
    return names


def _walk(
    selection_set: SelectionSetNode | None, fragments: dict[str, FragmentDefinitionNode]
) -> Iterator[str]:
    waiting = [selection_set]
    # Each fragment is walked once, however often it is spread.
    spread: set[str] = set()
    while waiting:
        selection_set = waiting.pop()
        for selection in selection_set.selections if selection_set else ():
            if isinstance(selection, FragmentSpreadNode):
                fragment = selection.name.value
                if fragment not in spread:
                    spread.add(fragment)
                    waiting.append(fragments[fragment].selection_set)
            elif isinstance(selection, FieldNode | InlineFragmentNode):
                if isinstance(selection, FieldNode):
                    yield selection.name.value
                waiting.append(selection.selection_set)
