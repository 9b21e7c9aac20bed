"""Requests refused before any operation runs, answered as GraphQL errors."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from gateway.counters import note_code
from gateway.errors import RewardsError, Unauthenticated
from gateway.http.media_types import JSON, choose_response_type

BEARER_CHALLENGE = 'Bearer realm="rewards-gateway"'
RETRY_AFTER_SECONDS = "1"
MESSAGE_CHARACTERS_MAX = 300


class RequestRefused(Exception):
    """The request is not one that the protocol, a limit or the credential allows."""

    def __init__(
        self,
        status: HTTPStatus,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        extensions: Mapping[str, Any] | None = None,
    ) -> None:
        """Keep the status, the stable code and the sentence for the caller, and what else the error's extensions say."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})
        self.extensions = dict(extensions or {})

    @property
    def is_for_too_much(self) -> bool:
        """Tell whether the caller asks for more than it may."""
        return self.status is HTTPStatus.TOO_MANY_REQUESTS or self.code == "OPERATION_TOO_COSTLY"


def shorten(message: str) -> str:
    """Cut a message that quotes too much of what the caller sent."""
    if len(message) <= MESSAGE_CHARACTERS_MAX:
        return message
    return f"{message[: MESSAGE_CHARACTERS_MAX - 1]}…"


def bad_request(message: str) -> RequestRefused:
    """Make the refusal of a malformed request."""
    return RequestRefused(HTTPStatus.BAD_REQUEST, "BAD_REQUEST", message)


def method_not_allowed(message: str, allowed: str) -> RequestRefused:
    """Make the refusal of a method; `allowed` lists the others."""
    return RequestRefused(
        HTTPStatus.METHOD_NOT_ALLOWED, "METHOD_NOT_ALLOWED", message, {"Allow": allowed}
    )


def refuse_for(error: RewardsError) -> RequestRefused:
    """Make the refusal for an expected failure met before the operation, such as a bad token."""
    status = HTTPStatus(error.code.http_status)
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = f'{BEARER_CHALLENGE}, error="invalid_token"'
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = RETRY_AFTER_SECONDS
    return RequestRefused(status, error.code.name, error.message, headers)


def answer_refusal(refusal: RequestRefused, accept: str | None) -> Response:
    """Make the response to a request that is refused: its status and one GraphQL error."""
    return error_response(
        refusal.status,
        refusal.code,
        refusal.message,
        accept,
        refusal.headers,
        **refusal.extensions,
    )


async def answer_http_exception(request: Request, error: Exception) -> Response:
    """Answer Starlette's own refusals (no such route, wrong method) in the same shape."""
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's handler type is wider
    status = HTTPStatus(error.status_code)
    return error_response(
        status, status.name, status.description, request.headers.get("accept"), error.headers
    )


def error_response(
    status: HTTPStatus,
    code: str,
    message: str,
    accept: str | None,
    headers: Mapping[str, str] | None = None,
    **extensions: Any,
) -> Response:
    """Make a response without data, with one GraphQL error."""
    note_code(code)
    error = {"message": shorten(message), "extensions": {"code": code, **extensions}}
    return Response(
        orjson.dumps({"errors": [error]}),
        status_code=status.value,
        media_type=choose_response_type(accept) or JSON,
        headers=headers,
    )
