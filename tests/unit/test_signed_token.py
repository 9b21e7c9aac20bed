"""What a token says is looked at before its signature is, and most of what is wrong ends there."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from gateway.signing_in.signed_token import LENGTH_MAX, read_signed_token

CLAIMS = {"iss": "https://login.example.com/", "aud": "rewards", "sub": "ann", "exp": 1}


def encode(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def write(header: dict[str, Any] | None = None, **claims: Any) -> str:
    """Return the text of a token without a true signature."""
    return f"{encode({'alg': 'RS256', 'kid': 'a'} | (header or {}))}.{encode(CLAIMS | claims)}.c2ln"


def test_token_is_read() -> None:
    token = read_signed_token(write({"x5t": "of no interest", "typ": "at+JWT"}))
    assert token is not None
    assert (token.algorithm, token.key_id, token.issuer, token.audiences) == (
        "RS256",
        "a",
        CLAIMS["iss"],
        ("rewards",),
    )
    assert token.text not in repr(token)


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": 1},
        {"crit": []},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS512"},
        {"alg": "rs256"},
        {"alg": None},
        {"alg": ["RS256"]},
        {"typ": "logout+jwt"},
        {"typ": 7},
        {"kid": 7},
        {"kid": "k" * 256},
    ],
)
def test_header_that_must_not_be_is_refused(header: dict[str, Any]) -> None:
    assert read_signed_token(write(header)) is None


def test_length_is_bounded() -> None:
    short = write(extra="")
    assert read_signed_token(short) is not None
    assert read_signed_token(short + "A" * (LENGTH_MAX - len(short))) is not None
    assert read_signed_token(short + "A" * (LENGTH_MAX - len(short) + 1)) is None
