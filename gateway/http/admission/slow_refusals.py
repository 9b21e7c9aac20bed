"""Whoever asks for too much is answered late."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import Receive, Scope

from gateway.http.answers import Answer, Endpoint
from gateway.http.headers import Headers
from gateway.http.refusals import RequestRefused
from gateway.http.request_record import RequestRecord

# Refusals are answered late, so that a client that does not wait by itself cannot keep the gateway busy with them.
REFUSAL_DELAY_SECONDS: Final = 0.25
REFUSALS_DELAYED_MAX: Final = 1_000


class SlowRefusals:
    """An endpoint that answers late whoever asks for too much."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Take the endpoint."""
        self._endpoint = endpoint
        self._delayed = 0

    async def __call__(
        self, scope: Scope, headers: Headers, receive: Receive, record: RequestRecord
    ) -> Answer:
        """Answer one request.

        Raises:
            RequestRefused: the endpoint refuses it.
        """
        try:
            return await self._endpoint(scope, headers, receive, record)
        except RequestRefused as refusal:
            if refusal.is_for_too_much and self._delayed < REFUSALS_DELAYED_MAX:
                self._delayed += 1
                try:
                    await asyncio.sleep(REFUSAL_DELAY_SECONDS)
                finally:
                    self._delayed -= 1
            raise
