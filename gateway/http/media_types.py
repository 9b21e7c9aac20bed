"""Content negotiation for GraphQL over HTTP: what a client accepts and what it sent.

Source: https://graphql.github.io/graphql-over-http/draft/ and RFC 9110 section 12.5.1.
"""

from __future__ import annotations

from functools import lru_cache

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"

# Asked for with equal weight, the specific type wins: only it tells failures by status.
_PREFERENCE = (GRAPHQL_RESPONSE, JSON)
_WILDCARDS = ("application/*", "*/*")


@lru_cache(maxsize=64)
def choose_response_type(accept: str | None) -> str | None:
    """Return the media type to answer with, or None if the client accepts neither.

    A client that names none, or only a wildcard, gets `application/json`.
    """
    if accept is None or not accept.strip():
        return JSON
    weights = _parse_accept(accept)
    named = [name for name in _PREFERENCE if weights.get(name, 0.0) > 0]
    # `sorted` is stable, so that equal weights keep the order of preference.
    for name in sorted(named, key=lambda name: -weights[name]):
        return name
    for wildcard in _WILDCARDS:
        if weights.get(wildcard, 0.0) > 0:
            return JSON if JSON not in weights else GRAPHQL_RESPONSE
    return None


def _parse_accept(accept: str) -> dict[str, float]:
    """Return the weight of each media range; one that is malformed weighs nothing."""
    weights: dict[str, float] = {}
    for media_range in accept.split(","):
        name, *parameters = (part.strip().lower() for part in media_range.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                weight = _parse_weight(value.strip())
        weights[name] = max(weight, weights.get(name, 0.0))
    return weights


def _parse_weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 0.0


@lru_cache(maxsize=64)
def is_json_in_utf8(content_type: str | None) -> bool:
    """Tell whether a Content-Type names JSON, in UTF-8 or with no charset named."""
    if content_type is None:
        return False
    name, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [
        part.partition("=")[2].strip(' "') for part in parameters if part.startswith("charset")
    ]
    return name == JSON and all(charset in {"utf-8", "utf8"} for charset in charsets)
