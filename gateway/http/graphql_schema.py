"""The schema class of the gateway: limits on documents, and errors fit to be seen."""

from __future__ import annotations

from typing import Any

import strawberry
from graphql import GraphQLError, GraphQLInputObjectType, GraphQLSchema
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import ExecutionContext

from gateway.http.error_presentation import present_errors
from gateway.http.graphql_documents import CheckedDocuments, DocumentCache


class GatewaySchema(strawberry.Schema):
    """A Strawberry schema that checks documents once, limits operations and masks faults.

    These hold for every way in: HTTP, a subscription's socket, and `execute` in a test.
    """

    def __init__(self, query: type, mutation: type | None = None, **options: Any) -> None:
        """Take what `strawberry.Schema` takes; extensions given here run after the limits."""
        self._documents = DocumentCache()
        super().__init__(query=query, mutation=mutation, **options)
        _leave_one_of_to_graphql(self._schema)

    def get_extensions(self, sync: bool = False) -> list[SchemaExtension]:
        """Return the limits first, then the extensions given to the constructor."""
        return [CheckedDocuments(self._documents), *super().get_extensions(sync)]

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Replace the errors, in place, by what callers may see.

        Strawberry calls this once for every result on every path, before any transport reads it,
        and as shipped logs each field's error with a traceback.
        """
        errors[:] = present_errors(errors, execution_context)


def _leave_one_of_to_graphql(schema: GraphQLSchema) -> None:
    """Let graphql-core check `@oneOf` inputs: Strawberry's own check cannot say which input was wrong."""
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            definition = kind.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
            if definition is not None and definition.is_one_of:
                kind.is_one_of = True
                del kind.out_type
