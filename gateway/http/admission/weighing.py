"""From an operation to the formula of its cost: every object costs a point, what is more than that has a weight of its own.

| what                                    | cost                                                                      |
|-----------------------------------------|---------------------------------------------------------------------------|
| a scalar                                | 0                                                                         |
| an object                               | 1, and its fields'                                                        |
| a page                                  | 1, and what stands below `edges` times `first` or `last`, 20 if left out  |
| a list that is no page                  | its items' times the size that is assumed for it, or the number of `ids`  |
| a field of a mutation                   | its weight, its payload, and for each item of its lists a weight          |
| a list below a field of a mutation      | its items' times the items that were sent, at least once                  |
| a field with a weight                   | that instead of 0 or 1                                                    |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    ArgumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NamedTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
    is_non_null_type,
)

from gateway.http.admission.formulas import Formula, Size
from gateway.http.operation_limits import INTROSPECTION_FIELDS

PAGE_SIZE_DEFAULT: Final = 20
PAGE_SIZE_MAX: Final = 100
LIST_SIZE_ASSUMED: Final = 10
MUTATION_COST: Final = 10
ITEM_COST: Final = 2
# The whole schema takes about 30 milliseconds to answer.
INTROSPECTION_COST: Final = 5_000
_PAGE_ARGUMENTS: Final = ("first", "last")
_EDGES: Final = "edges"
# An argument that says what a list has in it.
_IDS: Final = "ids"


@dataclass(frozen=True, slots=True)
class Weights:
    """What fields cost that cost more than their type says, and how long lists are that are no pages; by `Type.field`."""

    fields: Mapping[str, int] = field(default_factory=dict)
    list_sizes: Mapping[str, int] = field(default_factory=dict)


def write_formula(
    schema: GraphQLSchema,
    weights: Weights,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> Formula:
    """Return the formula of a validated operation's cost."""
    root_type = schema.get_root_type(operation.operation)
    assert root_type is not None  # noqa: S101 - validation has seen to it
    defaults = {
        definition.variable.name.value: definition.default_value
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }
    writer = _Writer(schema, weights, fragments, defaults)
    is_mutation = operation.operation is OperationType.MUTATION
    below = Below(is_root_of_mutation=is_mutation)
    return writer.selection(root_type, operation.selection_set, below).compacted()


@dataclass(frozen=True, slots=True)
class Below:
    """What a selection stands below: the page whose edges it may select, and how long lists are there."""

    page_size: int | Size | None = None
    list_size: int | Size | None = None
    is_root_of_mutation: bool = False


class _Writer:
    def __init__(
        self,
        schema: GraphQLSchema,
        weights: Weights,
        fragments: Mapping[str, FragmentDefinitionNode],
        defaults: Mapping[str, ValueNode],
    ) -> None:
        self._schema = schema
        # What variables are that are left out.
        self._defaults = defaults
        self._weights = weights
        self._fragments = fragments

    def selection(
        self, parent: GraphQLNamedType, selection_set: SelectionSetNode | None, below: Below
    ) -> Formula:
        """Return the cost of all that is selected; the number of fields, fragments spread, is bounded already."""
        total = Formula()
        for node in selection_set.selections if selection_set else ():
            if isinstance(node, FieldNode):
                total += self._field(parent, node, below)
                continue
            fragment = (
                self._fragments[node.name.value] if isinstance(node, FragmentSpreadNode) else node
            )
            assert isinstance(fragment, FragmentDefinitionNode | InlineFragmentNode)  # noqa: S101 - the grammar has no fourth kind
            condition: NamedTypeNode | None = fragment.type_condition
            kind = parent if condition is None else self._schema.type_map[condition.name.value]
            total += self.selection(kind, fragment.selection_set, below)
        return total

    def _field(self, parent: GraphQLNamedType, node: FieldNode, below: Below) -> Formula:
        name = node.name.value
        if name in INTROSPECTION_FIELDS:
            return Formula(INTROSPECTION_COST)
        definition = (
            parent.fields.get(name)
            if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
            else None
        )
        if definition is None:
            # `__typename`
            return Formula()
        place = f"{parent.name}.{name}"
        kind = get_named_type(definition.type)
        weight = self._weights.fields.get(place)
        if not is_composite_type(kind):
            own = weight or 0
            return self._mutation(node, Formula(own)) if below.is_root_of_mutation else Formula(own)
        own = 1 if weight is None else weight
        if below.is_root_of_mutation:
            items = _items_sent(node.arguments or (), self._defaults)
            payload = self.selection(
                kind, node.selection_set, Below(list_size=_at_least_one(items))
            )
            return self._mutation(node, Formula(own) + payload)
        if all(argument in definition.args for argument in _PAGE_ARGUMENTS):
            page = Below(_page_size(node.arguments or (), self._defaults), below.list_size)
            return Formula(own) + self.selection(kind, node.selection_set, page)
        if not _is_list(definition.type):
            inner = Below(list_size=below.list_size)
            return Formula(own) + self.selection(kind, node.selection_set, inner)
        size = self._list_size(place, node, below)
        inner = Below(list_size=below.list_size)
        each = Formula(1) + self.selection(kind, node.selection_set, inner)
        # What the list itself costs, such as a statement over a history, is not multiplied.
        return Formula(0 if weight is None else weight) + each.times(size)

    def _mutation(self, node: FieldNode, payload: Formula) -> Formula:
        items = _items_sent(node.arguments or (), self._defaults)
        return Formula(MUTATION_COST) + payload + Formula(ITEM_COST).times(items)

    def _list_size(self, place: str, node: FieldNode, below: Below) -> int | Size:
        if node.name.value == _EDGES and below.page_size is not None:
            return below.page_size
        named = [argument for argument in node.arguments or () if argument.name.value == _IDS]
        if named:
            return _items_sent(named, self._defaults)
        known = self._weights.list_sizes.get(place)
        if known is not None:
            return known
        return LIST_SIZE_ASSUMED if below.list_size is None else below.list_size


def _is_list(kind: GraphQLOutputType) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _page_size(arguments: Iterable[ArgumentNode], defaults: Mapping[str, ValueNode]) -> int | Size:
    """Return how many items a page has at most."""
    sizes = [
        _read_size(argument.value, defaults)
        for argument in arguments
        if argument.name.value in _PAGE_ARGUMENTS
    ]
    found = [size for size in sizes if size is not None]
    if not found:
        return PAGE_SIZE_DEFAULT
    # Both together are refused; either is as good.
    return found[0]


def _read_size(node: ValueNode, defaults: Mapping[str, ValueNode]) -> int | Size | None:
    if isinstance(node, IntValueNode):
        return _bounded(int(node.value))
    if not isinstance(node, VariableNode):
        return None
    name = node.name.value
    default_node = defaults.get(name)
    default = int(default_node.value) if isinstance(default_node, IntValueNode) else None
    return lambda variables: _bounded(variables.get(name, default))


def _bounded(given: object) -> int:
    """Return a size that may be asked for: what is out of bounds is refused later, and null is the default."""
    # JSON has 100.0 and 1e2 too, which GraphQL takes for the whole number.
    if isinstance(given, int | float):
        return int(min(max(given, 0), PAGE_SIZE_MAX))
    return PAGE_SIZE_DEFAULT


def _items_sent(arguments: Iterable[ArgumentNode], defaults: Mapping[str, ValueNode]) -> int | Size:
    """Return how many items the lists of a field's arguments have, in the arguments themselves and one level below."""
    nodes = [inner for argument in arguments for inner in _with_fields(argument.value)]
    constant = sum([_count_literal(node) for node in nodes])
    names = [node.name.value for node in nodes if isinstance(node, VariableNode)]
    if not names:
        return constant
    left_out = {
        name: sum([_count_literal(inner) for inner in _with_fields(defaults[name])])
        for name in names
        if name in defaults
    }
    return lambda variables: (
        constant
        + sum(
            [
                _count_items(variables[name]) if name in variables else left_out.get(name, 0)
                for name in names
            ]
        )
    )


def _count_literal(node: ValueNode) -> int:
    return len(node.values) if isinstance(node, ListValueNode) else 0


def _count_items(value: object) -> int:
    if isinstance(value, list):
        return len(value)
    if isinstance(value, dict):
        return sum([len(inner) for inner in value.values() if isinstance(inner, list)])
    return 0


def _with_fields(node: ValueNode) -> list[ValueNode]:
    if isinstance(node, ObjectValueNode):
        return [inner.value for inner in node.fields]
    return [node]


def _at_least_one(items: int | Size) -> int | Size:
    if callable(items):
        return lambda variables: max(1, items(variables))
    return max(1, items)
