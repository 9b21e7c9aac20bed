"""Around every request: its id, one log line, security headers, and no fault unmasked."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.error_presentation import INTERNAL, INTERNAL_MESSAGE, log_fault
from gateway.http.headers import read_headers
from gateway.http.refusals import RequestRefused, answer_refusal, error_response
from gateway.http.request_record import RequestRecord, start_record

# Defaults, encoded once: a route that sets one of these itself keeps its own.
SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
# nginx's status for a client that left before its answer; it is logged, never sent.
CLIENT_CLOSED_REQUEST: Final = 499

logger = logging.getLogger("gateway.requests")


class RequestMiddleware:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp] | None = None) -> None:
        """Wrap an ASGI application; requests for the paths of `endpoints` go straight to those."""
        self._app = app
        self._endpoints = dict(endpoints or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when it has been answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        record = start_record(read_headers(scope).get(b"x-request-id"))
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(message, record.request_id)
            await send(message)

        try:
            app = self._endpoints.get(scope["path"], self._app)
            await app(scope, receive, send_with_headers)
        except ClientDisconnect:
            status = CLIENT_CLOSED_REQUEST
        except RequestRefused as refusal:
            response = answer_refusal(refusal, read_headers(scope).get(b"accept"))
            await response(scope, receive, send_with_headers)
        except Exception as fault:  # noqa: BLE001 - the one place that answers for unforeseen faults
            log_fault(fault, path=scope["path"])
            # An answer that has begun cannot be replaced; the server then cuts the connection.
            if not status:
                response = error_response(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    INTERNAL,
                    INTERNAL_MESSAGE,
                    read_headers(scope).get(b"accept"),
                    requestId=record.request_id,
                )
                await response(scope, receive, send_with_headers)
        log_request(scope, record, status, time.perf_counter() - started)


def log_request(scope: Scope, record: RequestRecord, status: int, seconds: float) -> None:
    """Log one line about a finished request; health checks and pages only when debugging.

    The query string is left out: with GET it holds the operation and its variables.
    """
    level = logging.INFO if scope["path"] == "/graphql" or status >= 400 else logging.DEBUG  # noqa: PLR2004 - HTTP's own bound
    if not logger.isEnabledFor(level):
        return
    facts: dict[str, Any] = {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "duration_milliseconds": round(seconds * 1000, 2),
    }
    if record.operation_name is not None:
        facts["operation_name"] = record.operation_name
    if record.caller is not None:
        facts["organisation_id"] = str(record.caller.organisation_id)
        facts["partner_id"] = str(record.caller.partner_id)
    if record.error_codes:
        facts["error_codes"] = sorted(record.error_codes)
    logger.log(level, "request", extra={"facts": facts})


def _add_headers(message: Message, request_id: str) -> None:
    headers = message["headers"]
    names = {name for name, _ in headers}
    headers.append((b"x-request-id", request_id.encode()))
    headers.extend(header for header in SECURITY_HEADERS if header[0] not in names)
