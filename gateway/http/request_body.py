"""From the bytes of a request to one GraphQL operation, refusing what is malformed."""

from __future__ import annotations

from collections.abc import Hashable
from http import HTTPStatus
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive
from strawberry.http import GraphQLRequestData

from gateway.http.body_budget import BodyBudget, BodyShare
from gateway.http.headers import Headers, find_header
from gateway.http.json_values import decode_json
from gateway.http.media_types import is_json_in_utf8
from gateway.http.refusals import RequestRefused, bad_request
from gateway.http.trusted_documents import TrustedDocuments

NAME_CHARACTERS_MAX = 256


async def read_json_body(
    headers: Headers, receive: Receive, body_bytes_max: int, budget: BodyBudget, tenant: Hashable
) -> object:
    """Read and decode a JSON body of at most `body_bytes_max` bytes; one that comes in pieces counts in the tenant's budget.

    Raises:
        RequestRefused: 415 for another content type, 413 over the limit, 400 if it is not JSON, 503 over the budget.
        ClientDisconnect: the client went away before its end.
    """
    if not is_json_in_utf8(find_header(headers, b"content-type")):
        raise RequestRefused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the operation as application/json in UTF-8.",
            {"Accept-Post": "application/json"},
        )
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise RequestRefused(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "UNSUPPORTED_MEDIA_TYPE",
            "Send the body without a content encoding.",
            {"Accept-Encoding": "identity"},
        )
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > body_bytes_max:
        raise _too_large(body_bytes_max)
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body", False):
        body = message.get("body", b"")
    else:
        with budget.keep(tenant) as share:
            body = await _read_pieces(message, receive, body_bytes_max, share)
    if len(body) > body_bytes_max:
        raise _too_large(body_bytes_max)
    return decode_json(body)


def read_operation(parameters: object, trusted: TrustedDocuments) -> GraphQLRequestData:
    """Check the parameters of a GraphQL request and return the one operation they ask for, in full or by its document's id.

    Raises:
        RequestRefused: 400; a list is refused too, since operations are not batched.
    """
    if isinstance(parameters, list):
        raise bad_request("Batching is not supported: send one operation per request.")
    if not isinstance(parameters, dict):
        raise bad_request("The body must be a JSON object.")
    query = _read_document(parameters, trusted)
    operation_name = parameters.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise bad_request("`operationName` must be a string or null.")
    if operation_name is not None and len(operation_name) > NAME_CHARACTERS_MAX:
        raise bad_request(f"`operationName` must have at most {NAME_CHARACTERS_MAX} characters.")
    return GraphQLRequestData(
        query=query,
        variables=_read_object(parameters, "variables"),
        # Some clients send an empty name for "none"; GraphQL has no empty names.
        operation_name=operation_name or None,
        extensions=_read_object(parameters, "extensions"),
    )


def _read_document(parameters: dict[str, object], trusted: TrustedDocuments) -> str:
    query, document_id = parameters.get("query"), parameters.get("documentId")
    if document_id is not None:
        if query is not None:
            raise bad_request("Send `query` or `documentId`, not both.")
        if not isinstance(document_id, str):
            raise bad_request("`documentId` must be a string.")
        return trusted.find(document_id)
    if not isinstance(query, str) or not query or query.isspace():
        raise bad_request("`query` must be a GraphQL document.")
    return trusted.check(query)


def read_query_string(query_string: bytes, trusted: TrustedDocuments) -> GraphQLRequestData:
    """Return the operation in the query string of a GET.

    Raises:
        RequestRefused: 400 if a parameter is malformed.
    """
    given = QueryParams(query_string)
    parameters: dict[str, object] = dict(given)
    for name in ("variables", "extensions"):
        if text := given.get(name):
            parameters[name] = decode_json(text)
        else:
            parameters.pop(name, None)
    return read_operation(parameters, trusted)


def _read_object(parameters: dict[str, object], name: str) -> dict[str, Any] | None:
    value = parameters.get(name)
    if value is not None and not isinstance(value, dict):
        raise bad_request(f"`{name}` must be an object or null.")
    return value


async def _read_pieces(
    message: Message, receive: Receive, body_bytes_max: int, share: BodyShare
) -> bytes:
    """Return a body whose first message has come, and no more of it than one piece beyond the limit."""
    pieces: list[bytes] = []
    size_bytes = 0
    while True:
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        pieces.append(message.get("body", b""))
        size_bytes += len(pieces[-1])
        share.grow(len(pieces[-1]))
        if size_bytes > body_bytes_max or not message.get("more_body", False):
            return b"".join(pieces)
        message = await receive()


def _too_large(body_bytes_max: int) -> RequestRefused:
    return RequestRefused(
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "PAYLOAD_TOO_LARGE",
        f"The body is larger than {body_bytes_max} bytes.",
        # The rest of the body is not read, so that the connection cannot be used again.
        {"Connection": "close"},
    )
