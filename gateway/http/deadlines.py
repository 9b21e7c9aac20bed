"""Requests that take longer than they may are broken off, and told so."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any, Final

from starlette.types import Receive, Scope

from gateway.errors import ErrorCode
from gateway.http.answers import Answer, Endpoint
from gateway.http.headers import Headers
from gateway.http.refusals import RequestRefused
from gateway.http.request_record import RequestRecord

# A request that has not ended so long after it was broken off is broken off again: what it waits for may not come either.
GRACE_SECONDS: Final = 5.0


class Deadlines:
    """An endpoint whose requests have a deadline. One timer serves all of them: entering and leaving costs a microsecond."""

    def __init__(self, endpoint: Endpoint, seconds: float) -> None:
        """Take the endpoint, and how long one of its requests may take."""
        self._endpoint = endpoint
        self._seconds = seconds
        # Requests under way, and until when they may be, by the event loop's clock.
        self._until: dict[asyncio.Task[Any], float] = {}
        self._broken_off: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def __call__(
        self, scope: Scope, headers: Headers, receive: Receive, record: RequestRecord
    ) -> Answer:
        """Answer one request.

        Raises:
            RequestRefused: it took too long, or the endpoint refuses it.
        """
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - coroutines run in tasks
        loop = asyncio.get_running_loop()
        self._until[task] = loop.time() + self._seconds
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._break_off)
        try:
            return await self._endpoint(scope, headers, receive, record)
        except asyncio.CancelledError:
            if task not in self._broken_off:
                raise
            while task.cancelling():
                task.uncancel()
            raise self._refusal() from None
        finally:
            del self._until[task]
            self._broken_off.discard(task)

    def _break_off(self) -> None:
        """Cancel what is overdue, and come back when the next may be."""
        self._timer = None
        if not self._until:
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        for task, until in list(self._until.items()):
            if until <= now:
                self._broken_off.add(task)
                self._until[task] = now + GRACE_SECONDS
                task.cancel()
        self._timer = loop.call_later(min(self._until.values()) - now, self._break_off)

    def _refusal(self) -> RequestRefused:
        return RequestRefused(
            HTTPStatus.GATEWAY_TIMEOUT,
            ErrorCode.DEADLINE_EXCEEDED.name,
            f"The request took longer than {self._seconds:g} seconds and was broken off. "
            "A mutation may have been done: send it again with the same keys, and it is done once.",
        )
