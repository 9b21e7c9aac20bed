"""uvicorn's HTTP protocol for connections that are watched: see `connection_watch`.

uvicorn itself has a time-out for idle connections only: one that never finishes a request is kept for ever.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import orjson
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from gateway.http.connection_watch import ConnectionWatch, Owed

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

_LATE: Final = {
    Owed.HEAD: "The request's head did not arrive in time.",
    Owed.BODY: "The request's body did not arrive in time.",
}
# Of a request, of what is not its body: its head, how its chunks are framed, its trailers. Each byte of its body allows one more.
HEAD_BYTES_MAX: Final = 65_536
_LARGE: Final = f"The request's head is larger than {HEAD_BYTES_MAX} bytes."
_FULL: Final = "The gateway has too many connections; try again shortly."


class WatchedHttpProtocol(HttpToolsProtocol):
    """One connection, watched for what its client owes."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        watch: ConnectionWatch,
    ) -> None:
        """Take what uvicorn gives, and who watches."""
        super().__init__(config, server_state, app_state, _loop)
        self._connection_watch = watch
        # Of the request that is coming in: None once it is whole.
        self._owed: Owed | None = Owed.HEAD
        # What the watch was told last.
        self._noted: Owed | None = Owed.HEAD
        # Of the request that is coming in; what came along with its beginning does not count, and is one read of the socket.
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take the connection, or refuse it where there is no room."""
        super().connection_made(transport)
        if not self._connection_watch.admit(self):
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "OVERLOADED", _FULL)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._connection_watch.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came, and note what is owed then; a head without an end is refused."""
        self._head_bytes += len(data)
        super().data_received(data)
        if self._head_bytes > HEAD_BYTES_MAX and self._owed is not None:
            self._refuse_head()
            return
        self._note(self._find_owed())

    def on_message_begin(self) -> None:
        """Begin a request: its head is owed."""
        self._owed = Owed.HEAD
        self._head_bytes = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Begin to answer: the body is owed."""
        self._owed = Owed.BODY
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._head_bytes -= 2 * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Have the request whole: nothing is owed."""
        self._owed = None
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, or go on with one that has come."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._note(self._find_owed())

    def pause_writing(self) -> None:
        """Note that the client does not read."""
        self._note(Owed.READING)
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        self._note(self._find_owed())
        super().resume_writing()

    def is_kept_waiting(self) -> bool:
        """Tell whether we do not read from it at the moment, or owe it an answer before its next request."""
        cycle: RequestResponseCycle | None = self.cycle
        is_answering = cycle is not None and not cycle.response_complete
        return self.flow.read_paused or (self._owed is Owed.HEAD and is_answering)

    def close_late(self, owed: Owed) -> None:
        """Close the connection, with an answer where the client waits for one."""
        if self.transport.is_closing():
            return
        if owed is Owed.READING:
            # What it does not read would be sent before a connection is closed in order.
            self.transport.abort()
        elif owed is Owed.HEAD or (owed is Owed.BODY and not self.cycle.response_started):
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "REQUEST_TIMEOUT", _LATE[owed])
        else:
            # It waits for no answer, or has a part of one.
            self.transport.close()

    def _refuse_head(self) -> None:
        """Close the connection, with an answer unless one has begun, or that of the request before is still to come."""
        if self.transport.is_closing():
            return
        cycle: RequestResponseCycle | None = self.cycle
        has_body_owed = self._owed is Owed.BODY
        if cycle is None or (
            not cycle.response_started if has_body_owed else cycle.response_complete
        ):
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            self._refuse(status, "PAYLOAD_TOO_LARGE", _LARGE)
        else:
            self.transport.close()

    def _find_owed(self) -> Owed | None:
        """Return what the client owes: also the body of a request that was answered without reading it."""
        cycle: RequestResponseCycle | None = self.cycle
        if self._owed is None and (cycle is None or cycle.response_complete):
            return Owed.NEXT_REQUEST
        return self._owed

    def _note(self, owed: Owed | None) -> None:
        if owed is not self._noted:
            self._noted = owed
            self._connection_watch.owe(self, owed)

    def _refuse(self, status: HTTPStatus, code: str, message: str) -> None:
        """Answer as the endpoint does, without a request, and close the connection."""
        body = orjson.dumps({"errors": [{"message": message, "extensions": {"code": code}}]})
        lines = [
            STATUS_LINE[status.value],
            b"content-type: application/json\r\ncontent-length: %d\r\n" % len(body),
            b"retry-after: 1\r\n" if status is HTTPStatus.SERVICE_UNAVAILABLE else b"",
            b"connection: close\r\n\r\n",
            body,
        ]
        self.transport.write(b"".join(lines))
        self.transport.close()
