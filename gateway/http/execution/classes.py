"""Which Python classes stand for GraphQL's types: those of the objects that resolvers return."""

from __future__ import annotations

from graphql import GraphQLNamedOutputType, GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import StrawberryObjectDefinition

from gateway.http.execution.source import Unsupported


def definition_of(named_type: GraphQLNamedOutputType) -> object:
    """Return Strawberry's definition of a type, if it has one."""
    return named_type.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)


def class_of(object_type: GraphQLNamedOutputType) -> type:
    """Return the class whose instances stand for an object type.

    Raises:
        Unsupported: the type itself says what belongs to it.
    """
    definition = definition_of(object_type)
    if not isinstance(definition, StrawberryObjectDefinition) or definition.is_type_of:
        raise Unsupported(object_type.name)
    return definition.origin


def class_returned_for(object_type: GraphQLObjectType) -> type:
    """Return the class of nearly all objects that resolvers return for a type: of a generic type it is the generic class."""
    definition = definition_of(object_type)
    if object_type.is_type_of is None and isinstance(definition, StrawberryObjectDefinition):
        generic = definition.concrete_of
        if generic is not None and not definition.is_type_of:
            return generic.origin
    return class_of(object_type)
