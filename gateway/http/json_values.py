"""Strict JSON within bounds: depth, values, the items of a list, the names of an object, and no NUL in any text.

The bounds are far above any real input. Without them a body within the limit of bytes could still keep the gateway busy
for seconds, since whatever reads the variables does more for each value than decoding it. Every check takes time linear
in the length of the text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final, TypeAlias

import orjson

from gateway.http.refusals import bad_request

DEPTH_MAX: Final = 64
VALUES_MAX: Final = 250_000
# Twice what the largest batch takes, so that a slightly too long one is refused by its own rule.
LIST_ITEMS_MAX: Final = 20_000
OBJECT_NAMES_MAX: Final = 1_000
PLACE_NAME_CHARACTERS_MAX: Final = 50
# The request's own object and `variables` are two levels above what is limited.
_OUTER_LEVELS = 2
_ESCAPED_NUL = b"\\u0000"

# Where a value stands: the place of what holds it, and its name or number there. The whole is None.
Place: TypeAlias = "tuple[Place, str | int] | None"


def decode_json(data: bytes | str) -> object:
    """Decode strict JSON: no NaN, no infinity, no lone surrogate, no NUL in any text, and within the bounds.

    Most texts are passed by counting brackets and commas, without looking at their values.

    Raises:
        RequestRefused: 400, saying what is wrong and where.
    """
    try:
        value = orjson.loads(data)
    except json.JSONDecodeError as error:
        raise bad_request(f"The body is not valid JSON: {error}.") from error
    text = data if isinstance(data, bytes) else data.encode()
    brackets = text.count(b"{") + text.count(b"[")
    # A list or an object of n parts has n - 1 commas: with few commas, each has few parts.
    if brackets > DEPTH_MAX or text.count(b",") >= OBJECT_NAMES_MAX:
        _check_bounds(value)
    # PostgreSQL text cannot hold NUL.
    if _ESCAPED_NUL in text and (place := _find_nul(value)) is not None:
        raise bad_request(f"{place} must not contain the NUL character (U+0000).")
    return value


def _check_bounds(value: object) -> None:
    """Go through the values level by level; raise for the first that breaks a bound."""
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    depth = values = 0
    while level:
        depth += 1
        if depth > DEPTH_MAX + _OUTER_LEVELS:
            raise bad_request(f"Variables nest deeper than {DEPTH_MAX} levels.")
        values += sum(map(len, level))
        if values > VALUES_MAX:
            raise bad_request(f"The body has more than {VALUES_MAX} values.")
        below: list[Any] = []
        for parent in level:
            if isinstance(parent, dict):
                _check_length(value, parent, OBJECT_NAMES_MAX, "names")
                below += [child for child in parent.values() if isinstance(child, dict | list)]
            else:
                _check_length(value, parent, LIST_ITEMS_MAX, "items")
                below += [child for child in parent if isinstance(child, dict | list)]
        level = below


def _check_length(
    value: object, part: dict[str, Any] | list[Any], length_max: int, kind: str
) -> None:
    if len(part) > length_max:
        place = next(place for place, found in _walk(value) if found is part)
        raise bad_request(
            f"{_write_place(place)} has {len(part)} {kind}; at most {length_max} are allowed."
        )


def _find_nul(value: object) -> str | None:
    """Return the place of the first text that holds NUL."""
    for place, found in _walk(value):
        if isinstance(found, str) and "\0" in found:
            return _write_place(place)
        if isinstance(found, dict) and any("\0" in name for name in found):
            return _write_place(place)
    return None


def _walk(value: object) -> Iterator[tuple[Place, object]]:
    """Give every value with its place, in the order of the text. Places are linked, so that long names cost nothing."""
    stack: list[tuple[Place, Any]] = [(None, value)]
    while stack:
        place, found = stack.pop()
        yield place, found
        parts: Iterable[tuple[str | int, Any]] = ()
        if isinstance(found, dict):
            parts = found.items()
        elif isinstance(found, list):
            parts = enumerate(found)
        stack += reversed([((place, name), part) for name, part in parts])


def _write_place(place: Place) -> str:
    names: list[str] = []
    while place is not None:
        place, name = place
        names.append(str(name)[:PLACE_NAME_CHARACTERS_MAX])
    return ".".join(reversed(names)) or "The body"
