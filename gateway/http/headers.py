"""A request's headers, read once."""

from __future__ import annotations

from typing import TypeAlias

from starlette.types import Scope

# By name in lower case. HTTP's characters are bytes: Latin-1 gives each of them one character.
Headers: TypeAlias = dict[bytes, str]


def read_headers(scope: Scope) -> Headers:
    """Return the headers of an ASGI request; of a header that is repeated, the first."""
    return {name: value.decode("latin-1") for name, value in reversed(scope["headers"])}
