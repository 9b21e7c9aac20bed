"""What a JSON Web Token must say to be looked at any further, before any key is asked."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from gateway.signing_in.signed_token import read_signed_token

CLAIMS = {"iss": "https://issuer.example/", "aud": "rewards", "sub": "ann", "exp": 2_000_000_000}


def token(header: dict[str, Any], claims: dict[str, Any]) -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (header, claims))
    return ".".join([*(part.decode().rstrip("=") for part in parts), "c2lnbmF0dXJl"])


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_token_of_an_allowed_algorithm_is_read(algorithm: str) -> None:
    read = read_signed_token(token({"alg": algorithm, "kid": "k", "typ": "JWT"}, CLAIMS))
    assert read is not None
    assert (read.algorithm, read.key_id, read.issuer) == (algorithm, "k", CLAIMS["iss"])
    assert read.audiences == ("rewards",)


@pytest.mark.parametrize(
    "header",
    [
        *(
            {"alg": alg}
            for alg in ("none", "HS256", "PS256", "RS512", "ES384", "", None, ["RS256"])
        ),
        {"alg": "RS256", "crit": ["exp"]},
        {"alg": "RS256", "crit": []},
        {"alg": "RS256", "typ": "logout+jwt"},
        {"alg": "RS256", "kid": 7},
        {"alg": "RS256", "kid": "k" * 256},
        {},
    ],
)
def test_token_with_another_header_is_none(header: dict[str, Any]) -> None:
    assert read_signed_token(token(header, CLAIMS)) is None


@pytest.mark.parametrize(
    "claims", [{"iss": None}, {"iss": ["x"]}, {"aud": None}, {"aud": [1]}, {"aud": ["a"] * 21}]
)
def test_token_that_names_no_issuer_and_audience_is_none(claims: dict[str, Any]) -> None:
    assert read_signed_token(token({"alg": "RS256"}, CLAIMS | claims)) is None
