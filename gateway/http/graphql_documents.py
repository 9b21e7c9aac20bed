"""GraphQL documents parsed, validated and limited once, then kept.

One look-up by text replaces parsing and validation, which are nearly all of a small operation's
cost. The cache is bounded by characters, not entries: a syntax tree takes about 120 bytes for each
character of its text, and what is compiled counts as characters of the same size, so a client who
makes documents up can fill about 50 MB at most.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule
from strawberry.types import ExecutionContext

from gateway.http.admission.formulas import Formula
from gateway.http.execution.documents import CompiledDocument
from gateway.http.field_access import DocumentAccess
from gateway.http.operation_limits import NoNulTextRule, OperationLimitsRule
from gateway.http.request_record import current_record

SOURCE_CHARACTERS_MAX: Final = 32_768
TOKENS_MAX: Final = 4_000
COMMENTS_MAX: Final = 500
CACHED_CHARACTERS_MAX: Final = 262_144
# A compiled field or function takes about a kilobyte: as much as the syntax tree of these.
CHARACTERS_FOR_WRITTEN: Final = 8

# Of one document: each error costs as much as what it quotes.
ERRORS_MAX: Final = 10

_LIMITS = (OperationLimitsRule,)
_RULES = (
    *specified_rules,
    # The two that Strawberry adds to the specification's.
    MaybeNullValidationRule,
    OneOfInputValidationRule,
    NoNulTextRule,
)


@dataclass(frozen=True, slots=True)
class CheckedDocument:
    """A parsed document, and what validation found; it may run if there are no errors."""

    document: DocumentNode
    errors: list[GraphQLError]
    operation_count: int
    compiled: CompiledDocument
    access: DocumentAccess
    # What its operations cost, by name, of those that were asked for.
    formulas: dict[str | None, Formula] = field(default_factory=dict)


class DocumentCache:
    """The valid documents used most recently, up to a total number of characters."""

    def __init__(
        self, characters_max: int = CACHED_CHARACTERS_MAX, *, suggests: bool = False
    ) -> None:
        """Start empty; `suggests` if errors may say which names of the schema are meant."""
        self._characters_max = characters_max
        self._suggests = suggests
        self._characters = 0
        self._pinned: dict[str, CheckedDocument] = {}
        self._documents: OrderedDict[str, CheckedDocument] = OrderedDict()
        self._sizes: dict[str, int] = {}
        self._refused: tuple[str, CheckedDocument] | None = None

    def load(self, schema: GraphQLSchema, query: str) -> CheckedDocument:
        """Return a document parsed and validated, from the cache if it is there.

        Raises:
            GraphQLError: the document is too long or cannot be parsed.
        """
        if (pinned := self._pinned.get(query)) is not None:
            return pinned
        if (known := self._documents.get(query)) is not None:
            self._documents.move_to_end(query)
            return known
        if self._refused is not None and self._refused[0] == query:
            return self._refused[1]
        checked = check_document(schema, query, suggests=self._suggests)
        if checked.errors:
            # The errors can take far more room than the document, and only mistakes repeat them: these are kept for the one
            # request, which asks for its document several times, to weigh it, to find it compiled and to execute it.
            self._refused = (query, checked)
            return checked
        self._documents[query] = checked
        self._count(query, checked)
        return checked

    def recount(self, query: str) -> None:
        """Find out how much room a document takes now that more of it has been compiled."""
        # Pinned documents are not counted.
        if (checked := self._documents.get(query)) is not None:
            self._count(query, checked)

    def _count(self, query: str, checked: CheckedDocument) -> None:
        size = len(query) + CHARACTERS_FOR_WRITTEN * checked.compiled.written
        self._characters += size - self._sizes.get(query, 0)
        self._sizes[query] = size
        while self._characters > self._characters_max:
            oldest, _ = self._documents.popitem(last=False)
            self._characters -= self._sizes.pop(oldest)

    def pin(self, schema: GraphQLSchema, query: str) -> None:
        """Keep a document for good, whatever its size and however long it is not used.

        Raises:
            GraphQLError: the document is too long, cannot be parsed, or is not valid.
        """
        checked = check_document(schema, query, suggests=self._suggests)
        if checked.errors:
            raise checked.errors[0]
        self._pinned[query] = checked


def check_document(schema: GraphQLSchema, query: str, *, suggests: bool = False) -> CheckedDocument:
    """Parse and validate one document within the limits; at most `ERRORS_MAX` errors are collected, and one that says so.

    Raises:
        GraphQLError: the document is too long or cannot be parsed.
    """
    document = parse(
        query,
        max_lexical_tokens=TOKENS_MAX,
        max_comments=COMMENTS_MAX,
        max_source_length=SOURCE_CHARACTERS_MAX,
        allow_empty_selection_sets=False,
    )
    # The limits come first and alone, since they bound what the other rules cost.
    errors = validate(schema, document, _LIMITS, ERRORS_MAX) or validate(
        schema, document, _RULES, ERRORS_MAX, hide_suggestions=not suggests
    )
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    return CheckedDocument(
        document, errors, len(operations), CompiledDocument(document), DocumentAccess(document)
    )


class CheckedDocuments(SchemaExtension):
    """Give an operation its document, already validated."""

    def __init__(self, load: Callable[[str], CheckedDocument]) -> None:
        """Take where documents come from."""
        self._load = load

    def on_operation(self) -> Iterator[None]:
        """Put the document, and what validation found, where execution looks for them."""
        context = self.execution_context
        record = current_record()
        if context.query:
            checked = self._load(context.query)
            context.graphql_document = checked.document
            context.pre_execution_errors = checked.errors or None
            context.validation_rules = ()
            if checked.operation_count > 1 and _names_no_operation(context):
                raise GraphQLError(
                    "The document has several operations: name one in `operationName`.",
                    extensions={"code": "BAD_USER_INPUT"},
                )
        yield
        if record is not None and context.graphql_document is not None:
            record.operation_name = context.operation_name


def _names_no_operation(context: ExecutionContext) -> bool:
    # Strawberry would run the first operation; the specification wants a request error.
    return context._provided_operation_name is None
