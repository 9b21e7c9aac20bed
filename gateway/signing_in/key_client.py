"""Fetch the public keys of issuers: from permitted addresses only, bounded in time and size, and without redirections."""

from __future__ import annotations

import asyncio
import ssl

import httpcore

from gateway.purchasing.pinning import PinnedBackend, default_ssl_context
from gateway.signing_in.public_keys import KeysUnreadable, PublicKeys, read_public_keys
from gateway.vendors.addresses import AddressPolicy

CONNECTIONS_MAX = 8
TIMEOUT_SECONDS = 5.0
CONNECT_TIMEOUT_SECONDS = 3.0
ANSWER_BYTES_MAX = 256 * 1024
_OK = 200
_HEADERS = (
    (b"Accept", b"application/jwk-set+json, application/json"),
    (b"Accept-Encoding", b"identity"),
    (b"User-Agent", b"rewards-gateway"),
)


class KeysUnavailable(Exception):
    """The keys cannot be had now; the message says why, and nothing of the answer."""


class KeyClient:
    """Asks issuers for their keys. Use `close` at the end."""

    def __init__(self, addresses: AddressPolicy, ssl_context: ssl.SSLContext | None = None) -> None:
        """Open nothing yet."""
        self._addresses = addresses
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl_context or default_ssl_context(),
            max_connections=CONNECTIONS_MAX,
            max_keepalive_connections=0,
            network_backend=PinnedBackend(addresses),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    async def fetch(self, url: str) -> PublicKeys:
        """Return the keys at an address.

        Raises:
            KeysUnavailable: it is not permitted, not reachable, too slow or too large, or has no keys that can be used.
        """
        if self._addresses.check(url, ("jwks",)):
            raise KeysUnavailable("its address is not permitted")
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return read_public_keys(await self._read(url))
        except (httpcore.TimeoutException, TimeoutError) as error:
            raise KeysUnavailable("it did not answer in time") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise KeysUnavailable("it could not be reached") from error
        except KeysUnreadable as error:
            raise KeysUnavailable("it has no keys that can be used") from error

    async def _read(self, url: str) -> bytes:
        timeouts = {"connect": CONNECT_TIMEOUT_SECONDS, "pool": TIMEOUT_SECONDS}
        async with self._pool.stream(
            "GET", url, headers=list(_HEADERS), extensions={"timeout": timeouts}
        ) as response:
            if response.status != _OK:
                raise KeysUnavailable(f"it answered with status {response.status}")
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    raise KeysUnavailable("its answer is too large")
            return bytes(body)
