"""Which text and JSON may enter, and how names are compared: what PostgreSQL and JSON cannot hold is refused before any statement sees it."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator

import orjson

from gateway.errors import FieldError

# Stands for a text that the caller may not read.
HIDDEN = "••••"
JSON_BYTES_MAX = 16_384
JSON_DEPTH_MAX = 32
_INTEGER_64_BIT = range(-(2**63), 2**64)

# Half of a surrogate pair has no UTF-8, and PostgreSQL has no NUL.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# C0 without tab, line feed and carriage return; DEL; C1.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def find_forbidden_character(value: str) -> str | None:
    """Return what is wrong with the text's characters as the end of a sentence, or None.

    Tab, line feed and carriage return are allowed; every other control character is not.
    """
    if value.isascii() and value.isprintable():
        return None
    if "\x00" in value:
        return "must not contain the NUL character"
    if _LONE_SURROGATE.search(value):
        return "must be valid Unicode: it contains half of a surrogate pair"
    if _CONTROL.search(value):
        return "must not contain control characters other than tab and line breaks"
    return None


def normalize_name(name: str) -> str:
    """Return a name as it is stored and shown: composed Unicode (NFC), without blanks around it."""
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    return name.strip()


def normalize_optional_name(name: str | None) -> str | None:
    """Return a name as `normalize_name` does; None stands for one that was left out."""
    return None if name is None else normalize_name(name)


def to_name_key(name: str) -> str:
    """Return what names are compared by where upper and lower case are the same name."""
    return unicodedata.normalize("NFC", normalize_name(name).casefold())


def check_text(
    value: str | None,
    path: tuple[str, ...],
    length_max: int | None = None,
    *,
    length_min: int = 1,
) -> list[FieldError]:
    """Return the broken rules of a text field; None stands for a field that was left out and breaks none.

    Units: lengths in Unicode code points; `length_max` None means no limit but the request's. Text of nothing but white
    space counts as empty where at least one character is needed.
    """
    if value is None:
        return []
    name = path[-1]
    if problem := find_forbidden_character(value):
        return [FieldError(path, "characters", f"{name} {problem}.")]
    if length_min and not value.strip():
        return [FieldError(path, "required", f"{name} must not be empty.")]
    if len(value) < length_min:
        message = f"{name} must have at least {length_min} characters."
        return [FieldError(path, "length", message)]
    if length_max is not None and len(value) > length_max:
        message = f"{name} must have at most {length_max} characters; it has {len(value)}."
        return [FieldError(path, "length", message)]
    return []


def check_json(
    value: object, path: tuple[str, ...], bytes_max: int = JSON_BYTES_MAX
) -> list[FieldError]:
    """Return the broken rule of a JSON field: its characters, its numbers, its depth, or its size when stored.

    Units: `bytes_max` in bytes of compact UTF-8. None, for a field that was left out, breaks no rule.
    """
    name = path[-1]
    for problem in _find_json_problems(value):
        return [FieldError(path, "json", f"{name} {problem}.")]
    size_bytes = len(orjson.dumps(value))
    if size_bytes > bytes_max:
        message = f"{name} must be at most {bytes_max} bytes of JSON; it is {size_bytes}."
        return [FieldError(path, "size", message)]
    return []


def _find_json_problems(value: object, depth: int = 0) -> Iterator[str]:
    if depth > JSON_DEPTH_MAX:
        yield f"must not be nested more than {JSON_DEPTH_MAX} levels deep"
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(key, str):
                yield from _find_json_problems(key, depth + 1)
            else:
                yield f"must be JSON; it has a key that is a {type(key).__name__}"
            yield from _find_json_problems(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _find_json_problems(item, depth + 1)
    elif problem := _find_scalar_problem(value):
        yield problem


def _find_scalar_problem(value: object) -> str | None:
    # JSON text is data, so any character may stand in it that the database can hold.
    if isinstance(value, str) and ("\x00" in value or _LONE_SURROGATE.search(value)):
        return "must not contain the NUL character or half of a surrogate pair"
    if isinstance(value, float) and not math.isfinite(value):
        return "must hold finite numbers only"
    if isinstance(value, int) and value not in _INTEGER_64_BIT:
        return "must hold whole numbers of at most 64 bits"
    if value is not None and not isinstance(value, str | float | int):
        return f"must be JSON; it holds a {type(value).__name__}"
    return None
