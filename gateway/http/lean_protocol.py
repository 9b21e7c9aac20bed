"""uvicorn's HTTP protocol, with less to do for each request (docs/decisions/0046-answers-sent-whole.md).

It offers applications to take an answer whole, with its headers as they go over the wire: uvicorn takes headers and body one after
the other, looks at each header with two regular expressions, and sends both with a system call of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from starlette.types import Message, Scope
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from gateway.http.answers import WHOLE_ANSWER
from gateway.http.watched_protocol import WatchedHttpProtocol

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application, ASGISendEvent


class LeanCycle(RequestResponseCycle):
    """One request and its answer."""

    async def send(self, message: ASGISendEvent | Message) -> None:
        """Send a whole answer, and end it as uvicorn does; other messages are uvicorn's.

        Raises:
            RuntimeError: something has been sent already.
        """
        if message["type"] != WHOLE_ANSWER:
            await super().send(cast("ASGISendEvent", message))
            return
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self.response_started:
            raise RuntimeError("An answer that has begun cannot be sent whole.")
        self.response_started = self.response_complete = True
        self.waiting_for_100_continue = False
        self.transport.write(self._render(cast(Message, message)))
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()

    def _render(self, answer: Message) -> bytes:
        pieces = [STATUS_LINE[answer["status"]]]
        pieces += [b"%b: %b\r\n" % header for header in self.default_headers]
        pieces.append(answer["header_lines"])
        pieces.append(b"\r\n" if self.keep_alive else b"connection: close\r\n\r\n")
        if self.scope["method"] != "HEAD":
            pieces.append(answer["body"])
        return b"".join(pieces)


class LeanHttpProtocol(WatchedHttpProtocol):
    """One connection. What is overridden with an underscore may go in another version of uvicorn: then its own way is back."""

    # What scopes say of the server; they share it.
    extensions: Final[dict[str, Any]] = {WHOLE_ANSWER: {}}

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.__class__ = LeanCycle
        cast(Scope, cycle.scope)["extensions"] = self.extensions
        super()._start_asgi_task(cycle, app)
