"""A request's headers, read once."""

from __future__ import annotations

from typing import TypeAlias

from starlette.types import Scope

# By name in lower case; their characters are bytes, as on the wire.
Headers: TypeAlias = dict[bytes, bytes]


def read_headers(scope: Scope) -> Headers:
    """Return the headers of an ASGI request; of a header that is repeated, the first."""
    return dict(reversed(scope["headers"]))


def find_header(headers: Headers, name: bytes) -> str | None:
    """Return a header as text; Latin-1 gives each byte one character."""
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")
