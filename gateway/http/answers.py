"""What the endpoints behind the request middleware take and give, and how an answer is handed to a server in one piece."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeAlias

from starlette.types import Message, Receive, Scope

from gateway.http.headers import Headers
from gateway.http.request_record import RequestRecord

# An extension of ASGI's: a server that has it takes one message instead of two.
WHOLE_ANSWER: Final = "gateway.response.whole"


class Answer(NamedTuple):
    """A whole answer: its status, its own headers with names in lower case, and its body."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


# From a request, its headers and its record to its answer. An ASGI application costs more: it may send anything at any time.
Endpoint: TypeAlias = Callable[[Scope, Headers, Receive, RequestRecord], Awaitable[Answer]]


def takes_whole_answers(scope: Scope) -> bool:
    """Tell whether the server that asks takes what `whole_answer` makes."""
    return WHOLE_ANSWER in scope.get("extensions", ())


def whole_answer(status: int, header_lines: bytes, body: bytes) -> Message:
    """Make the one message of a whole answer.

    Each header line ends in CRLF and is fit to be sent as it is; the length of the body is among them.
    """
    return {"type": WHOLE_ANSWER, "status": status, "header_lines": header_lines, "body": body}
