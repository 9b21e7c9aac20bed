"""The schema, composed from the files in queries/ and mutations/."""

from __future__ import annotations

from typing import Any, TypeVar

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
    get_nullable_type,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type

from gateway.access import REQUIREMENT_KEY
from resolvers.error_table import error_handlers
from resolvers.mutations import MUTATIONS
from resolvers.queries import QUERIES
from resolvers.scalars import SCALARS

SchemaClass = TypeVar("SchemaClass", bound=strawberry.Schema)

# Types that no field names: they are reached through the interface they implement.
NODE_TYPES: list[type] = []


Query = create_type("Query", QUERIES, description="Everything that can be read.")
Mutation = create_type(
    "Mutation",
    MUTATIONS,
    description="Everything that can be done. Whatever has an effect takes an idempotency key and does it once.",
)


def build_schema(schema_class: type[SchemaClass], **options: Any) -> SchemaClass:
    """Build the one schema of the process, as the class that the transport brings.

    The class decides on limits and on how errors are presented; `gateway.app` gives `gateway.http`'s.

    Raises:
        TypeError: a root field does not say what it needs.
    """
    for field in (*QUERIES, *MUTATIONS):
        if REQUIREMENT_KEY not in field.metadata:
            raise TypeError(f"{field.python_name} does not say which scopes it needs.")
    schema = schema_class(
        query=Query,
        mutation=Mutation,
        types=NODE_TYPES,
        config=StrawberryConfig(scalar_map=SCALARS),
        exception_handlers=error_handlers(),
        **options,
    )
    _drop_null_defaults(schema._schema)
    _let_root_fields_be_null(schema._schema)
    return schema


def _let_root_fields_be_null(schema: GraphQLSchema) -> None:
    """Make every root field nullable: each answers for itself, and one that fails takes no other's answer with it."""
    for root_type in filter(None, (schema.query_type, schema.mutation_type)):
        for field in root_type.fields.values():
            field.type = get_nullable_type(field.type)


def _drop_null_defaults(schema: GraphQLSchema) -> None:
    """Take `= null` off whatever may be left out: it says nothing that the missing `!` does not.

    What is left out then takes its default in Python, which is None too.
    """
    for graphql_type in schema.type_map.values():
        inputs: list[GraphQLArgument | GraphQLInputField] = []
        if isinstance(graphql_type, GraphQLInputObjectType):
            inputs += graphql_type.fields.values()
        elif isinstance(graphql_type, GraphQLObjectType):
            inputs += (arg for field in graphql_type.fields.values() for arg in field.args.values())
        for given in inputs:
            if given.default_value is None:
                given.default_value = Undefined
