"""Whether the process lives, and whether it can serve."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Final, TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# Returns the reasons against, in words without internals; none if all is well.
FindReasons: TypeAlias = Callable[[], Awaitable[Sequence[str]]]

READY_TIMEOUT_SECONDS: Final = 2.0

logger = logging.getLogger("gateway.health")


def health_routes(find_reasons: FindReasons) -> list[Route]:
    """Return `/health/live`, always 200, and `/health/ready`, 200, or 503 with the reasons."""

    async def answer_live(_: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def answer_ready(_: Request) -> Response:
        reasons = await _check(find_reasons)
        if not reasons:
            return JSONResponse({"status": "ready"})
        content = {"status": "not ready", "reasons": list(reasons)}
        return JSONResponse(content, HTTPStatus.SERVICE_UNAVAILABLE)

    return [Route("/health/live", answer_live), Route("/health/ready", answer_ready)]


async def _check(find_reasons: FindReasons) -> Sequence[str]:
    """Ask within a time limit; a check that fails or hangs means not ready."""
    try:
        return await asyncio.wait_for(find_reasons(), READY_TIMEOUT_SECONDS)
    except TimeoutError:
        return ("database_silent",)
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the answer is "not ready"
        logger.warning("readiness check failed: %s", type(error).__name__)
        return ("internal",)
