"""Reads `--daily-max` options: an asset's code and an amount."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

import typer

NO_LIMIT = "none"


def read_daily_maxima(given: Sequence[str]) -> dict[str, Decimal | None]:
    """Return the amount for each asset code; None where there is to be no limit.

    Raises:
        BadParameter: one is not ASSET=AMOUNT, or an asset is named twice.
    """
    maxima: dict[str, Decimal | None] = {}
    for text in given:
        code, separator, amount = text.partition("=")
        if not (code and separator) or code in maxima:
            message = f"{text} must be ASSET=AMOUNT, each asset once, such as USD=500"
            raise typer.BadParameter(message, param_hint="--daily-max")
        maxima[code] = None if amount == NO_LIMIT else _read_amount(text, amount)
    return maxima


def _read_amount(text: str, amount: str) -> Decimal:
    try:
        value = Decimal(amount)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        message = f"{text} must have a number or none after the equals sign"
        raise typer.BadParameter(message, param_hint="--daily-max")
    return value
