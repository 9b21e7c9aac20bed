"""Around every request: its id, one log line, security headers, and no fault unmasked."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.answers import Answer, Endpoint, takes_whole_answers, whole_answer
from gateway.http.error_presentation import INTERNAL, INTERNAL_MESSAGE, log_fault
from gateway.http.headers import find_header, read_headers
from gateway.http.log_lines import Facts
from gateway.http.refusals import RequestRefused, answer_refusal, error_response
from gateway.http.request_record import RequestRecord, start_record
from gateway.http.structured_logging import log_later

# Defaults, encoded once: a route that sets one of these itself keeps its own.
SECURITY_HEADERS: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
_SECURITY_LINES = b"".join([b"%b: %b\r\n" % header for header in SECURITY_HEADERS])
# nginx's status for a client that left before its answer; it is logged, never sent.
CLIENT_CLOSED_REQUEST: Final = 499

logger = logging.getLogger("gateway.requests")


class RequestMiddleware:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint] | None = None) -> None:
        """Wrap an ASGI application; requests for the paths of `endpoints` go to those instead."""
        self._app = app
        self._endpoints = dict(endpoints or {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when it has been answered."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = read_headers(scope)
        record = start_record(find_header(headers, b"x-request-id"))
        try:
            endpoint = self._endpoints.get(scope["path"])
            if endpoint is None:
                await self._app(scope, receive, partial(_send_with_headers, send, record))
            else:
                answer = await endpoint(scope, headers, receive, record)
                await _send_answer(scope, send, record, answer)
        except ClientDisconnect:
            record.status = CLIENT_CLOSED_REQUEST
        except RequestRefused as refusal:
            response = answer_refusal(refusal, find_header(headers, b"accept"))
            await response(scope, receive, partial(_send_with_headers, send, record))
        except Exception as fault:  # noqa: BLE001 - the one place that answers for unforeseen faults
            log_fault(fault, path=scope["path"])
            # An answer that has begun cannot be replaced; the server then cuts the connection.
            if not record.status:
                response = error_response(
                    HTTPStatus.INTERNAL_SERVER_ERROR,
                    INTERNAL,
                    INTERNAL_MESSAGE,
                    find_header(headers, b"accept"),
                    requestId=record.request_id,
                )
                await response(scope, receive, partial(_send_with_headers, send, record))
        log_request(scope, record, time.perf_counter() - started)


def log_request(scope: Scope, record: RequestRecord, seconds: float) -> None:
    """Log one line about a finished request; health checks and pages only when debugging.

    The query string is left out: with GET it holds the operation and its variables.
    """
    path = scope["path"]
    level = logging.INFO if path == "/graphql" or record.status >= 400 else logging.DEBUG  # noqa: PLR2004 - HTTP's own bound
    log_later(
        logger, level, "request", partial(_gather_facts, record, scope["method"], path, seconds)
    )


def _gather_facts(record: RequestRecord, method: str, path: str, seconds: float) -> Facts:
    facts: Facts = {
        "method": method,
        "path": path,
        "status": record.status,
        "duration_milliseconds": round(seconds * 1000, 2),
    }
    if record.operation_name is not None:
        facts["operation_name"] = record.operation_name
    if (caller := record.caller) is not None:
        facts["organization_id"] = str(caller.organization_id)
        facts["partner_id"] = str(caller.partner_id)
        facts["credential_id"] = str(caller.credential_id)
    if record.error_codes:
        facts["error_codes"] = sorted(record.error_codes)
    return facts


async def _send_answer(scope: Scope, send: Send, record: RequestRecord, answer: Answer) -> None:
    """Send an endpoint's answer: in one piece to a server that takes it so, else as ASGI has it."""
    record.status = answer.status
    headers = [*answer.headers, (b"x-request-id", record.request_id.encode())]
    if takes_whole_answers(scope):
        lines = [b"%b: %b\r\n" % header for header in headers]
        lines.append(_SECURITY_LINES)
        await send(whole_answer(answer.status, b"".join(lines), answer.body))
        return
    headers += SECURITY_HEADERS
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _send_with_headers(send: Send, record: RequestRecord, message: Message) -> None:
    """Send a message of any application; the first gets the headers that every answer has."""
    if message["type"] == "http.response.start":
        record.status = message["status"]
        headers = message["headers"]
        names = {name for name, _ in headers}
        headers.append((b"x-request-id", record.request_id.encode()))
        headers.extend(header for header in SECURITY_HEADERS if header[0] not in names)
    await send(message)
