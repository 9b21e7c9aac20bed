"""The Authorization header: one bearer token, or none."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from gateway.access import Caller
from gateway.errors import Unauthenticated

Authenticate: TypeAlias = Callable[[str], Awaitable[Caller]]

# RFC 6750 section 2.1; the bound keeps a huge header from reaching a hash function.
_BEARER_PATTERN = re.compile(r"\s*(?i:bearer) \s*([A-Za-z0-9._~+/-]{1,4096}={0,2})\s*")


def read_bearer_token(authorization: str | None) -> str | None:
    """Return the token of an Authorization header, or None where there is no header.

    Raises:
        Unauthenticated: the header has another scheme, or no well-formed token.
    """
    if authorization is None:
        return None
    match = _BEARER_PATTERN.fullmatch(authorization)
    if match is None:
        raise Unauthenticated("Send the credential as `Authorization: Bearer <token>`.")
    return match[1]
