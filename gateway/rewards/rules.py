"""Rules that several parts of the catalog share; each returns the broken ones with their paths."""

from __future__ import annotations

from collections.abc import Container
from decimal import Decimal
from uuid import UUID

from gateway.errors import FieldError
from gateway.ledger.assets import InexactAmount, to_minor
from gateway.text import check_json, check_text

NAME_LENGTH_MAX = 200
DESCRIPTION_LENGTH_MAX = 2000
CODE_LENGTH_MAX = 128
COUNT_MAX = 1_000_000


def check_name(value: str | None, path: tuple[str, ...]) -> list[FieldError]:
    """Return the broken rules of a name that must be there."""
    if value is None:
        return [FieldError(path, "required", f"{path[-1]} is required.")]
    return check_text(value, path, NAME_LENGTH_MAX)


def check_description(value: str | None, path: tuple[str, ...]) -> list[FieldError]:
    """Return the broken rules of a description; none and an empty one are both fine."""
    return check_text(value, path, DESCRIPTION_LENGTH_MAX, length_min=0)


def check_metadata(value: object, path: tuple[str, ...]) -> list[FieldError]:
    """Return the broken rules of metadata: a JSON object of at most 16 KiB."""
    if not isinstance(value, dict):
        return [FieldError(path, "object", f"{path[-1]} must be a JSON object.")]
    return check_json(value, path)


def check_count(value: int, path: tuple[str, ...], count_max: int = COUNT_MAX) -> list[FieldError]:
    """Return the broken rule of a whole number that must be at least 1."""
    if 1 <= value <= count_max:
        return []
    rule = "positive" if value < 1 else "range"
    message = f"{path[-1]} must be a whole number from 1 to {count_max}."
    return [FieldError(path, rule, message)]


def check_amount(amount: Decimal, scale: int | None, path: tuple[str, ...]) -> list[FieldError]:
    """Return the broken rule of an amount that must be above zero and exact in its asset.

    `scale` is the asset's number of decimals, None if the asset is not known: then only the sign can be told.
    """
    if not amount.is_finite() or amount <= 0:
        return [FieldError(path, "positive", f"{path[-1]} must be greater than 0.")]
    if scale is None:
        return []
    try:
        to_minor(amount, scale)
    except InexactAmount as error:
        return [FieldError(path, "exact", f"{path[-1]} {error}.")]
    return []


def check_exists(
    value: UUID, known: Container[UUID], noun: str, path: tuple[str, ...]
) -> list[FieldError]:
    """Return the broken rule of an id that names nothing the caller can see."""
    if value in known:
        return []
    return [FieldError(path, "exists", f"{path[-1]} must be the id of an existing {noun}.")]


def is_code(value: str) -> bool:
    """Tell whether a coupon code is 1 to 128 printable characters without white space around them.

    Printable excludes line breaks, NUL and lone surrogates: what a careless export of a list leaves in codes.
    """
    return 0 < len(value) <= CODE_LENGTH_MAX and value.isprintable() and value == value.strip()


def check_code(value: str, path: tuple[str, ...]) -> list[FieldError]:
    """Return the broken rule of a coupon code."""
    if is_code(value):
        return []
    message = f"A code must be 1 to {CODE_LENGTH_MAX} printable characters without white space around them."
    return [FieldError(path, "code", message)]


def plain(number: Decimal) -> str:
    """Return a decimal's one spelling: no exponent and no zeros at the end."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
