"""The HTTP client for vendors: one per process, with connections that are kept, bounds on everything, and no redirections.

`httpcore` is what `httpx` sends its requests with. It is used directly, because where a connection goes to is decided in its
network backend, and because it follows no redirection, takes no proxy from the environment and decodes nothing by itself.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import Any

import httpcore
import orjson

from gateway.keys.model import CannotOpen
from gateway.purchasing.model import Answer, ClaimedOrder, Unsettled
from gateway.purchasing.pinning import PinnedBackend, default_ssl_context
from gateway.vendors.model import VendorSecurity
from gateway.vendors.sealing import open_secret, open_template
from gateway.vendors.template import render

# More than calls may be under way: a call that waits for a connection here would wait for another vendor.
CONNECTIONS_MAX = 1_000
KEPT_CONNECTIONS_MAX = 20
KEPT_SECONDS = 30.0
CONNECT_TIMEOUT_SECONDS_MAX = 5.0
ANSWER_BYTES_MAX = 256 * 1024

# Raised before the first byte of a request is sent: the vendor cannot have acted on it.
_UNSENT = (
    httpcore.ConnectError,
    httpcore.ConnectTimeout,
    httpcore.PoolTimeout,
    httpcore.UnsupportedProtocol,
)


class VendorClient:
    """Asks vendors. Use `close` at the end."""

    def __init__(self, security: VendorSecurity, ssl_context: ssl.SSLContext | None = None) -> None:
        """Open nothing yet: connections are made when they are first needed."""
        self.security = security
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or default_ssl_context(),
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=KEPT_CONNECTIONS_MAX,
            keepalive_expiry=KEPT_SECONDS,
            network_backend=PinnedBackend(security.addresses),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def ask(self, order: ClaimedOrder) -> Answer | Unsettled:
        """Send the order and return the answer, or why there is none. Takes at most the vendor's time-out."""
        if self.security.addresses.check(order.endpoint, ("endpoint",)):
            return Unsettled("its address is not permitted", may_have_issued=False)
        try:
            headers = self._headers(order)
            template = open_template(
                self.security.keys, order.tenant_id, order.vendor_id, order.request_template_sealed
            )
        except CannotOpen as error:
            reason = f"the gateway cannot read its secrets: {error}"
            return Unsettled(reason, may_have_issued=False, is_own_fault=True)
        try:
            async with asyncio.timeout(order.timeout_seconds):
                return await self._send(order, headers, template)
        except _UNSENT:
            return Unsettled("it could not be reached", may_have_issued=False)
        except (httpcore.TimeoutException, TimeoutError):
            return Unsettled("it did not answer in time", may_have_issued=True)
        except (httpcore.NetworkError, httpcore.ProtocolError):
            return Unsettled("the connection was lost", may_have_issued=True)

    async def _send(
        self, order: ClaimedOrder, headers: dict[str, str], template: Mapping[str, Any]
    ) -> Answer:
        body = orjson.dumps(render(template, order.request_values))
        timeouts = {
            # Shorter than the whole, so that a vendor that cannot be connected to is known as such.
            "connect": min(CONNECT_TIMEOUT_SECONDS_MAX, order.timeout_seconds * 0.8),
            "pool": order.timeout_seconds * 0.8,
        }
        async with self._pool.stream(
            "POST",
            order.endpoint,
            headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            content=body,
            extensions={"timeout": timeouts},
        ) as response:
            return Answer(response.status, await _read(response))

    def _headers(self, order: ClaimedOrder) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "User-Agent": "rewards-gateway",
            "Idempotency-Key": str(order.grant_id),
        }
        if order.secret_header_name is not None and order.secret_header_sealed is not None:
            headers[order.secret_header_name] = open_secret(
                self.security.keys, order.tenant_id, order.vendor_id, order.secret_header_sealed
            )
        return headers


async def _read(response: httpcore.Response) -> bytes | None:
    """Return the body, or None if it is larger than any voucher."""
    body = bytearray()
    async for chunk in response.aiter_stream():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            return None
    return bytes(body)
