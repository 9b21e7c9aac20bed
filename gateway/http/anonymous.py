"""What a request without a credential may ask for: whether the gateway answers, and in development the schema.

Everything else is refused before validation, which costs far more than parsing: nobody without a credential can make
the gateway do much.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from graphql import FieldNode, GraphQLError, OperationDefinitionNode, parse

from gateway.http.operation_limits import INTROSPECTION_FIELDS
from gateway.http.refusals import BEARER_CHALLENGE, RequestRefused

ANONYMOUS_BODY_BYTES_MAX: Final = 16_384
# The introspection query of GraphiQL has about 400.
ANONYMOUS_TOKENS_MAX: Final = 1_000
_TYPE_NAME = frozenset({"__typename"})


def check_anonymous(text: str, *, introspection_allowed: bool) -> None:
    """Let pass a document whose operations select only `__typename`, and the schema where that is allowed.

    Raises:
        RequestRefused: 401, for every other document, also for one that cannot be parsed.
    """
    allowed = _TYPE_NAME | INTROSPECTION_FIELDS if introspection_allowed else _TYPE_NAME
    try:
        document = parse(text, no_location=True, max_lexical_tokens=ANONYMOUS_TOKENS_MAX)
    except GraphQLError as error:
        raise _needs_credential() from error
    operations = [
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    ]
    selections = [selection for node in operations for selection in node.selection_set.selections]
    # Fragments below an introspection field are the schema's; at the root they could hide any field.
    if not all(isinstance(node, FieldNode) and node.name.value in allowed for node in selections):
        raise _needs_credential()
    # Only the standard introspection query has fragments.
    if len(operations) < len(document.definitions) and not introspection_allowed:
        raise _needs_credential()


def _needs_credential() -> RequestRefused:
    return RequestRefused(
        HTTPStatus.UNAUTHORIZED,
        "UNAUTHENTICATED",
        "This needs a credential: send Authorization: Bearer <token>.",
        {"WWW-Authenticate": BEARER_CHALLENGE},
    )
