"""What the fields of an operation need of a credential, found once for each operation and checked before anything runs.

Whatever is selected counts: below `@skip` and `@include`, in fragments, and for each type that an interface or union may turn out
to be. Each field says in its metadata what it needs; a field that says nothing needs no more than what it stands below.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, TypeAlias

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    is_composite_type,
)
from strawberry.schema.schema_converter import GraphQLCoreConverter

from gateway.access import REQUIREMENT_KEY, Requirement, Scope
from gateway.errors import Forbidden, Unauthenticated
from gateway.http.execution.replay import RefusedFields

# Of one operation; of credentials with other scopes it is found out anew.
KNOWN_SCOPES_MAX: Final = 64
# Of one refusal.
ERRORS_MAX: Final = 10

Scopes: TypeAlias = frozenset[Scope]
# Fields of object types.
Coordinates: TypeAlias = frozenset[tuple[str, str]]
# From the root of the answer to a field, without list indexes.
Names: TypeAlias = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Need:
    """What fields of one name need, and which object types have them."""

    field: str
    requirement: Requirement
    coordinates: Coordinates


@dataclass(frozen=True, slots=True)
class SelectedNeed:
    """A need of an operation, and where the first field with it stands: its node, and the names above it in the answer."""

    need: Need
    node: FieldNode
    path: Names

    def to_refusal(self) -> FieldForbidden:
        """Return what stands for the field where a caller lacks the scopes."""
        return FieldForbidden(self)

    def to_error(self) -> GraphQLError:
        """Return what is told of the field where the whole operation is refused."""
        refusal = self.to_refusal()
        message = f"{refusal.message} Nothing was done."
        return GraphQLError(message, [self.node], original_error=refusal)


class FieldForbidden(Forbidden):
    """The credential lacks the scopes that a field needs."""

    def __init__(self, selected: SelectedNeed) -> None:
        """Name the field and the scopes; graphql-core takes the extensions along."""
        need, path = selected.need, selected.path
        super().__init__(
            f"This credential lacks the scope that {'.'.join(path)} needs: {need.requirement}."
        )
        self.extensions = {
            "code": self.code.name,
            "field": need.field,
            "fieldPath": list(path),
            "requiredScopes": need.requirement.list_scopes(),
        }


class FieldNeeds:
    """What each field of a schema needs."""

    def __init__(self, schema: GraphQLSchema) -> None:
        """Look at every field once; of an interface's, at those of the types that implement it."""
        self.schema = schema
        self._needs: dict[tuple[str, str], list[Need]] = {}
        for name, graphql_type in schema.type_map.items():
            if isinstance(graphql_type, GraphQLObjectType | GraphQLInterfaceType):
                for field_name in graphql_type.fields:
                    if needs := list(_find_needs(schema, graphql_type, field_name)):
                        self._needs[name, field_name] = needs

    def of_field(self, type_name: str, field_name: str) -> list[Need]:
        """Return what a field may need, depending on the type that the object turns out to be."""
        return self._needs.get((type_name, field_name), [])

    def of_selection(
        self, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> list[SelectedNeed]:
        """Return what the fields of a valid operation need, each need once, those nearest to the root first."""
        selected: dict[tuple[str, Requirement], SelectedNeed] = {}
        for type_name, node, path in _walk(self.schema, operation, fragments):
            for need in self.of_field(type_name, node.name.value):
                key = (need.field, need.requirement)
                selected.setdefault(key, SelectedNeed(need, node, path))
        return list(selected.values())


class OperationAccess:
    """What one operation needs, and to credentials of which scopes it is refused."""

    def __init__(self, needs: list[SelectedNeed]) -> None:
        """Start with no credential known."""
        self.needs = needs
        self._refused: dict[Scopes, list[SelectedNeed]] = {}

    def refused_to(self, scopes: Scopes) -> list[SelectedNeed]:
        """Return what a credential with these scopes lacks; nothing if it may ask for every field."""
        refused = self._refused.get(scopes)
        if refused is None:
            if len(self._refused) >= KNOWN_SCOPES_MAX:
                self._refused.clear()
            refused = self._refused[scopes] = [
                selected
                for selected in self.needs
                if not selected.need.requirement.is_met_by(scopes)
            ]
        return refused


class DocumentAccess:
    """What the operations of a valid document need, each looked at when it is first asked for."""

    def __init__(self, document: DocumentNode) -> None:
        """Keep the document."""
        self._document = document
        self._known: dict[int, OperationAccess] = {}

    def of_operation(
        self, needs: FieldNeeds, operation: OperationDefinitionNode
    ) -> OperationAccess:
        """Return what one of the document's operations needs."""
        access = self._known.get(id(operation))
        if access is None:
            selected = needs.of_selection(operation, self._fragments)
            access = self._known[id(operation)] = OperationAccess(selected)
        return access

    @cached_property
    def _fragments(self) -> dict[str, FragmentDefinitionNode]:
        return {
            node.name.value: node
            for node in self._document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }


class OperationRefused(Exception):
    """The operation may not begin: it has an effect, and the caller may not ask for some of its fields."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        """Keep what the caller is told."""
        super().__init__(errors[0].message)
        self.errors = errors


def check_access(
    needs: FieldNeeds,
    document: DocumentAccess,
    operations: Iterable[OperationDefinitionNode],
    scopes: Scopes | None,
) -> RefusedFields:
    """Return the fields that are refused to a credential with these scopes, where the rest may be answered: in queries.

    `operations` is the one that is asked for, or all of the document's where nobody knows which. An anonymous caller has None.

    Raises:
        OperationRefused: it is a mutation, of which then nothing may be done; or the caller is anonymous.
    """
    refused: RefusedFields = {}
    for operation in operations:
        access = document.of_operation(needs, operation)
        if not access.needs:
            continue
        if scopes is None:
            raise OperationRefused([_needs_credential()])
        lacking = access.refused_to(scopes)
        if not lacking:
            continue
        if operation.operation is not OperationType.QUERY:
            told = lacking[:ERRORS_MAX]
            raise OperationRefused([selected.to_error() for selected in told])
        refused |= {
            coordinate: selected.to_refusal
            for selected in lacking
            for coordinate in selected.need.coordinates
        }
    return refused


def _needs_credential() -> GraphQLError:
    cause = Unauthenticated("This needs a credential: send Authorization: Bearer <token>.")
    extensions = {"code": cause.code.name}
    return GraphQLError(cause.message, original_error=cause, extensions=extensions)


def find_requirement(field: GraphQLField) -> Requirement | None:
    """Return what a field says that it needs."""
    definition = field.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
    metadata = getattr(definition, "metadata", None) or {}
    requirement = metadata.get(REQUIREMENT_KEY)
    return requirement if isinstance(requirement, Requirement) else None


def _find_needs(
    schema: GraphQLSchema,
    parent: GraphQLObjectType | GraphQLInterfaceType,
    field_name: str,
) -> Iterator[Need]:
    """Find what a field needs of each object type that its parent may be: one need for each requirement."""
    possible = (
        [parent] if isinstance(parent, GraphQLObjectType) else schema.get_possible_types(parent)
    )
    types_by_requirement: dict[Requirement, list[str]] = {}
    for object_type in possible:
        requirement = find_requirement(object_type.fields[field_name])
        if requirement is not None:
            types_by_requirement.setdefault(requirement, []).append(object_type.name)
    for requirement, names in types_by_requirement.items():
        coordinates = frozenset((name, field_name) for name in names)
        yield Need(f"{parent.name}.{field_name}", requirement, coordinates)


def _walk(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Mapping[str, FragmentDefinitionNode],
) -> Iterator[tuple[str, FieldNode, Names]]:
    """Walk through an operation's fields, each selection once: the parent type, the node, and its path without list indexes."""
    root = schema.get_root_type(operation.operation)
    assert root is not None  # noqa: S101 - validation knows the kind of the operation
    waiting: deque[tuple[GraphQLNamedType, SelectionSetNode, Names]] = deque()
    waiting.append((root, operation.selection_set, ()))
    walked: set[tuple[str, int]] = set()
    while waiting:
        parent, selection_set, path = waiting.popleft()
        # A fragment is walked once, however often it is spread.
        if (place := (parent.name, id(selection_set))) in walked:
            continue
        walked.add(place)
        for node in selection_set.selections:
            if isinstance(node, FieldNode):
                field_path = (*path, (node.alias or node.name).value)
                yield parent.name, node, field_path
                if node.selection_set:
                    inner = _type_of_field(schema, parent, node.name.value)
                    waiting.append((inner, node.selection_set, field_path))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = schema.type_map[condition.name.value] if condition else parent
                waiting.append((inner, node.selection_set, path))
            elif isinstance(node, FragmentSpreadNode):
                fragment = fragments[node.name.value]
                inner = schema.type_map[fragment.type_condition.name.value]
                waiting.append((inner, fragment.selection_set, path))


def _type_of_field(
    schema: GraphQLSchema, parent: GraphQLNamedType, field_name: str
) -> GraphQLNamedType:
    assert is_composite_type(parent)  # noqa: S101 - validation knows that it has fields
    field = schema.get_field(parent, field_name)
    assert field is not None  # noqa: S101 - as above
    return get_named_type(field.type)
