"""What callers see of errors: expected failures by code, everything else masked.

| error                                            | extensions.code           | message  |
|--------------------------------------------------|---------------------------|----------|
| syntax, length or token limit                    | GRAPHQL_PARSE_FAILED      | kept     |
| validation, operation limits                     | GRAPHQL_VALIDATION_FAILED | kept     |
| variables, arguments, choice of operation        | BAD_USER_INPUT            | kept     |
| RewardsError raised by a resolver                | its code's name           | kept     |
| anything else                                    | INTERNAL, with request id | masked   |
"""

from __future__ import annotations

import logging
from typing import Any

from graphql import GraphQLError
from graphql.error import GraphQLErrorExtensions
from strawberry.types import ExecutionContext

from gateway.counters import note_code
from gateway.errors import InvalidInput, RewardsError
from gateway.http.refusals import shorten
from gateway.http.request_record import current_record

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
BAD_USER_INPUT = "BAD_USER_INPUT"
INTERNAL = "INTERNAL"
INTERNAL_MESSAGE = "Internal error"

logger = logging.getLogger("gateway.faults")


def present_errors(
    errors: list[GraphQLError], context: ExecutionContext | None
) -> list[GraphQLError]:
    """Return the errors as callers may see them, in order; log what was masked, once.

    However many fields failed, the log gets one entry: the first fault's traceback and the count.
    """
    presented: list[GraphQLError] = []
    faults: list[GraphQLError] = []
    for error in errors:
        extensions = _describe(error, context)
        if extensions is None:
            faults.append(error)
            presented.append(_mask(error))
        else:
            error.extensions = extensions
            error.message = shorten(error.message)
            presented.append(error)
    if faults:
        log_fault(_find_cause(faults[0]), path=faults[0].path, count=len(faults))
    for error in presented:
        note_code(str((error.extensions or {}).get("code")))
    return presented


def log_fault(cause: BaseException, **facts: Any) -> None:
    """Log a broken assumption with its traceback; the request id is added to every line."""
    logger.error("fault", exc_info=cause, extra={"facts": facts})


def current_request_id() -> str | None:
    """Return the id under which a caller can ask about the request under way."""
    record = current_record()
    return record.request_id if record else None


def _describe(error: GraphQLError, context: ExecutionContext | None) -> dict[str, Any] | None:
    """Return the extensions of an expected error, or None for a fault."""
    if error.extensions and "code" in error.extensions:
        return error.extensions
    cause = _find_cause(error)
    # A place in the document but no path: a scalar refused its text, whatever it raised.
    is_scalar = error.path is None and bool(error.nodes)
    if isinstance(cause, RewardsError) and not is_scalar:
        return _describe_rewards_error(cause)
    if error.path is not None:
        # Only errors about arguments know the place in the document by themselves.
        is_argument = isinstance(cause, GraphQLError) and cause is not error and bool(cause.nodes)
        return {"code": BAD_USER_INPUT} if is_argument else None
    if error.original_error is not None and not error.nodes:
        return None
    if context is None or context.graphql_document is None:
        return {"code": PARSE_FAILED}
    return {"code": VALIDATION_FAILED if context.result is None else BAD_USER_INPUT}


def _describe_rewards_error(error: RewardsError) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": error.code.name}
    if isinstance(error, InvalidInput):
        extensions["fieldErrors"] = [
            {"path": list(field.path), "rule": field.rule, "message": field.message}
            for field in error.errors
        ]
    elif error.path:
        extensions["inputPath"] = list(error.path)
    return extensions


def _find_cause(error: GraphQLError) -> BaseException:
    """Return what was raised first, under the GraphQL errors that wrap it."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _mask(error: GraphQLError) -> GraphQLError:
    extensions: GraphQLErrorExtensions = {"code": INTERNAL, "requestId": current_request_id()}
    return GraphQLError(INTERNAL_MESSAGE, nodes=error.nodes, path=error.path, extensions=extensions)
