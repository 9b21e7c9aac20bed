"""What a field's selection asks for, so that a list can read it along."""

from __future__ import annotations

from graphql import FieldNode, FragmentSpreadNode, InlineFragmentNode, SelectionSetNode

from resolvers.context import Info


def selects(info: Info, name: str) -> bool:
    """Tell whether a field of this name stands anywhere below the field being resolved.

    Types and directives that leave it out are not looked at: the answer only decides what to read along.
    """
    raw = info._raw_info
    waiting: list[SelectionSetNode | None] = [node.selection_set for node in raw.field_nodes]
    # Each fragment is walked once, however often it is spread.
    spread: set[str] = set()
    while waiting:
        selection_set = waiting.pop()
        for selection in selection_set.selections if selection_set else ():
            if isinstance(selection, FragmentSpreadNode):
                fragment = selection.name.value
                if fragment not in spread:
                    spread.add(fragment)
                    waiting.append(raw.fragments[fragment].selection_set)
            elif isinstance(selection, FieldNode | InlineFragmentNode):
                if isinstance(selection, FieldNode) and selection.name.value == name:
                    return True
                waiting.append(selection.selection_set)
    return False
