"""uvicorn's HTTP protocol, with less to do for each request (docs/decisions/0046-answers-sent-whole.md).

- It offers applications to take an answer whole, with its headers as they go over the wire: uvicorn takes headers and body one after
  the other, looks at each header with two regular expressions, and sends both with a system call of its own.
- A connection has one timer for its idle time, not one for each answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from starlette.types import Message, Scope
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.http.answers import WHOLE_ANSWER

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


class LeanHttpProtocol(HttpToolsProtocol):
    """One connection. What is overridden with an underscore may go in another version of uvicorn: then its own way is back."""

    # What scopes say of the server; they share it.
    extensions: Final[dict[str, Any]] = {WHOLE_ANSWER: {}}
    # When the last answer was sent, by the event loop's clock; None while a request comes in or is under way.
    _idle_since: float | None = None

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.__class__ = LeanCycle
        cast(Scope, cycle.scope)["extensions"] = self.extensions
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """Wait for the next request, or go on with one that has come."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._watch(self.timeout_keep_alive)

    def _unset_keepalive_if_required(self) -> None:
        # The timer goes on, and finds that the connection is not idle, or not for long enough.
        self._idle_since = None

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection if it has been idle for as long as it may."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        seconds_left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if seconds_left > 0:
            self._watch(seconds_left)
        else:
            super().timeout_keep_alive_handler()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def _watch(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            seconds, self.timeout_keep_alive_handler
        )
