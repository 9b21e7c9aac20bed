"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

IsReady: TypeAlias = Callable[[], Awaitable[bool]]

READY_TIMEOUT_SECONDS: Final = 2.0

logger = logging.getLogger("gateway.health")


def health_routes(is_ready: IsReady) -> list[Route]:
    """Return `/health/live`, always 200, and `/health/ready`, 200 or 503."""

    async def answer_live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def answer_ready(_: Request) -> Response:
        if await _check(is_ready):
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "not ready"}, HTTPStatus.SERVICE_UNAVAILABLE)

    return [Route("/health/live", answer_live), Route("/health/ready", answer_ready)]


async def _check(is_ready: IsReady) -> bool:
    """Ask within a time limit; a check that fails or hangs means not ready."""
    try:
        return await asyncio.wait_for(is_ready(), READY_TIMEOUT_SECONDS)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the answer is "not ready"
        logger.warning("readiness check failed: %s", type(error).__name__)
        return False
