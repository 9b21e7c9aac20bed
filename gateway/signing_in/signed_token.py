"""JSON Web Tokens of issuers (RFC 7519): what one claims, and whether it may be believed. Pure.

Everything cheap is checked before the signature, and nothing that a token says decides how it is verified.
"""

from __future__ import annotations

import base64
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning

from gateway.signing_in.issuer import SUBJECT_CLAIM, Issuer
from gateway.signing_in.public_keys import ALGORITHMS, KEY_ID_LENGTH_MAX, PublicKey

# In characters. Tokens of issuers have 500 to 1,500.
LENGTH_MAX = 4_096
LEEWAY_SECONDS = 10
LIFETIME_SECONDS_MAX = 24 * 3_600
AUDIENCES_MAX = 20
# What a token that is not for signing in would call itself, such as `logout+jwt`, is none of these.
TYPES = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})

# Issuers put more into headers than the standard names; nothing of it is used, and what must be understood (`crit`) is refused.
_REGISTRY = jws.JWSRegistry(algorithms=sorted(ALGORITHMS), strict_check_header=False)
_PATTERN = re.compile(r"([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class SignedToken:
    """What a token says of itself: nothing of it is proved."""

    text: str
    algorithm: str
    key_id: str | None
    issuer: str
    audiences: tuple[str, ...]
    claims: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"SignedToken(issuer={self.issuer!r})"


def read_signed_token(text: str) -> SignedToken | None:
    """Return what a token says, or None if it is none that could be believed."""
    if len(text) > LENGTH_MAX or (match := _PATTERN.fullmatch(text)) is None:
        return None
    header, claims = _decode(match[1]), _decode(match[2])
    if header is None or claims is None or "crit" in header:
        return None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        return None
    if str(header.get("typ", "JWT")).lower() not in TYPES:
        return None
    if key_id is not None and not (isinstance(key_id, str) and len(key_id) <= KEY_ID_LENGTH_MAX):
        return None
    audiences = claims.get("aud")
    if isinstance(audiences, str):
        audiences = [audiences]
    issuer = claims.get("iss")
    if not isinstance(issuer, str) or not isinstance(audiences, list):
        return None
    if len(audiences) > AUDIENCES_MAX or not all(isinstance(one, str) for one in audiences):
        return None
    return SignedToken(text, algorithm, key_id, issuer, tuple(audiences), claims)


def find_external_id(token: SignedToken, issuer: Issuer, now: float) -> str | None:
    """Return whom a token names, if its times and claims allow it to be believed at `now`; units: seconds since 1970.

    Its issuer and audience led to `issuer`, and are not looked at again.
    """
    claims = token.claims
    expires, subject = _to_time(claims.get("exp")), claims.get(SUBJECT_CLAIM)
    if expires is None or not now - LEEWAY_SECONDS < expires:
        return None
    if expires > now + LIFETIME_SECONDS_MAX + LEEWAY_SECONDS:
        return None
    for name in ("nbf", "iat"):
        if name in claims:
            begins = _to_time(claims[name])
            if begins is None or begins > now + LEEWAY_SECONDS:
                return None
    external_id = claims.get(issuer.member_claim)
    if not isinstance(subject, str) or not subject or not isinstance(external_id, str):
        return None
    return external_id


def expiry_of(token: SignedToken) -> float:
    """Return when a token that `find_external_id` has found good ends, in seconds since 1970."""
    return float(token.claims["exp"]) + LEEWAY_SECONDS


def is_signed_with(token: SignedToken, key: PublicKey) -> bool:
    """Tell whether the key, which serves the token's algorithm, has signed it."""
    with warnings.catch_warnings():
        # RFC 9864 would rather have EdDSA called by its curve; issuers still say EdDSA.
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            jws.deserialize_compact(token.text, key, registry=_REGISTRY)
        except (JoseError, ValueError):
            return False
    return True


def _decode(part: str) -> dict[str, Any] | None:
    try:
        value = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _to_time(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # A whole number may be too large for a float; what is not a number is not between any two.
    return float(value) if -(2**53) < value < 2**53 else None
