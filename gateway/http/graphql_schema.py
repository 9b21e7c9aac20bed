"""The schema class of the gateway: limits on documents, and errors fit to be seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import strawberry
from graphql import GraphQLError, GraphQLInputObjectType, GraphQLSchema, OperationDefinitionNode
from strawberry.extensions import SchemaExtension
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.execution import PreExecutionError
from strawberry.types.graphql import OperationType

from gateway.http.admission.weighing import Weights, write_formula
from gateway.http.error_presentation import present_errors
from gateway.http.execution.documents import CompiledDocument
from gateway.http.execution.operation import CompiledOperation
from gateway.http.execution.replay import (
    Outcomes,
    RefusedFields,
    ReplayingExecutor,
    knowing,
    refusing,
)
from gateway.http.execution.source import Unfit
from gateway.http.field_access import FieldNeeds, OperationRefused, check_access
from gateway.http.graphql_documents import (
    ERRORS_MAX,
    CheckedDocument,
    CheckedDocuments,
    DocumentCache,
)
from gateway.http.request_record import current_record
from gateway.http.trusted_documents import InvalidManifest, TrustedDocuments

# To parse, validate and compile a document takes about ten microseconds a character, as much as two points.
CHARACTER_COST: Final = 2


class Weighed(NamedTuple):
    """What an operation costs, and what was done already to find that out: its document, if it is new."""

    cost: int
    document_cost: int


class GatewaySchema(strawberry.Schema):
    """A Strawberry schema that checks documents once, limits operations and masks faults.

    These hold for every way in: HTTP, a subscription's socket, and `execute` in a test.
    """

    # A document that comes again is compiled (see gateway/http/execution).
    compile_at_use = 2

    def __init__(
        self,
        query: type,
        mutation: type | None = None,
        *,
        suggests: bool = False,
        weights: Weights | None = None,
        **options: Any,
    ) -> None:
        """Take what `strawberry.Schema` takes; extensions given here run after the limits.

        `suggests` lets errors about a document say which names of the schema may be meant; `weights` are what its fields cost.
        """
        self._weights = weights or Weights()
        self._documents = DocumentCache(suggests=suggests)
        super().__init__(
            query=query, mutation=mutation, execution_context_class=ReplayingExecutor, **options
        )
        _leave_one_of_to_graphql(self._schema)
        self._needs = FieldNeeds(self._schema)

    def get_extensions(self, sync: bool = False) -> list[SchemaExtension]:
        """Return the limits first, then the extensions given to the constructor."""
        return [CheckedDocuments(self._load_document), *super().get_extensions(sync)]

    async def execute(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        root_value: Any | None = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Run the operation compiled; where that is not possible or does not succeed, as Strawberry does.

        What its fields need is checked before anything runs, against the `scopes` of the context.
        """
        outcomes: Outcomes = {}
        refused: RefusedFields = {}
        variables = variable_values or {}
        compiled = None
        if query and (checked := self._find_valid(query)) is not None:
            operation = checked.compiled.find(operation_name)
            try:
                refused = self._check_access(checked, operation, context_value)
            except OperationRefused as refusal:
                self.process_errors(refusal.errors)
                return PreExecutionError(data=None, errors=refusal.errors)
            # Compiled code knows of no field that is refused.
            if operation is not None and not refused:
                compiled = self._compile(
                    query, checked.compiled, operation, variables, allowed_operation_types
                )
        if compiled is not None and root_value is None:
            try:
                data = await compiled.run(context_value, variables, outcomes)
            except Unfit:
                # What was loaded is loaded again, and counted anew.
                if callable(begin_again := getattr(context_value, "begin_again", None)):
                    begin_again()
            else:
                return ExecutionResult(data=data, errors=None)
        with knowing(outcomes), refusing(refused):
            return await super().execute(
                query,
                variable_values,
                context_value,
                root_value,
                operation_name,
                allowed_operation_types,
                operation_extensions,
            )

    def weigh(
        self, query: str | None, operation_name: str | None, variables: Mapping[str, Any] | None
    ) -> Weighed:
        """Return what an operation costs at most, before it runs; nothing if it cannot run."""
        query = query or ""
        try:
            checked = self._load_document(query)
        except GraphQLError:
            return Weighed(0, CHARACTER_COST * len(query))
        operation = None if checked.errors else checked.compiled.find(operation_name)
        if operation is None:
            return Weighed(0, CHARACTER_COST * len(query))
        name = operation.name.value if operation.name else None
        document_cost = 0
        formula = checked.formulas.get(name)
        if formula is None:
            document_cost = CHARACTER_COST * len(query)
            formula = checked.formulas[name] = write_formula(
                self._schema, self._weights, operation, checked.compiled.fragments
            )
        return Weighed(formula.work_out(variables or {}), document_cost)

    def trust(self, trusted: TrustedDocuments) -> None:
        """Parse and validate the trusted documents now, and keep them for good.

        Raises:
            InvalidManifest: the schema refuses one of them.
        """
        for text in sorted(trusted.texts):
            try:
                self._documents.pin(self._schema, text)
            except GraphQLError as error:
                raise InvalidManifest(
                    f"The schema refuses a trusted document: {error.message} It begins: {text[:80]!r}"
                ) from error

    def _find_valid(self, query: str) -> CheckedDocument | None:
        """Return the document if it may run; what is wrong with any other is for Strawberry to say."""
        try:
            checked = self._load_document(query)
        except GraphQLError:
            return None
        return None if checked.errors else checked

    def _check_access(
        self, checked: CheckedDocument, operation: OperationDefinitionNode | None, context: object
    ) -> RefusedFields:
        if operation is not None and (record := current_record()) is not None:
            record.operation_name = operation.name.value if operation.name else None
        operations = checked.compiled.operations if operation is None else (operation,)
        return check_access(
            self._needs, checked.access, operations, getattr(context, "scopes", None)
        )

    def _compile(
        self,
        query: str,
        document: CompiledDocument,
        operation: OperationDefinitionNode,
        variables: dict[str, Any],
        allowed_operation_types: Iterable[OperationType] | None,
    ) -> CompiledOperation | None:
        # Extensions and directives of other kinds see into an execution: they need graphql-core's.
        if self.extensions or self.directives:
            return None
        if allowed_operation_types is not None:
            kind = OperationType(operation.operation.value)
            if kind not in allowed_operation_types:
                return None
        written = document.written
        compiled = document.compile(self, operation, variables, self.compile_at_use)
        if document.written != written:
            self._documents.recount(query)
        return compiled

    def _load_document(self, query: str) -> CheckedDocument:
        return self._documents.load(self._schema, query)

    def _get_custom_context_kwargs(
        self, operation_extensions: dict[str, Any] | None = None, *, sync: bool = False
    ) -> dict[str, Any]:
        """Bound the errors about variables: each looks at the wrong value, and a suggestion at every name of its type."""
        return {
            **super()._get_custom_context_kwargs(operation_extensions, sync=sync),
            "max_coercion_errors": ERRORS_MAX,
            "hide_suggestions": True,
        }

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
