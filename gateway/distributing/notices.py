"""The text a recipient is shown: the caller's message, or a general one, with the amounts at its end (ON3-5)."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.ledger.assets import Asset, format_amount

RECEIVED = "You have received a reward:"
CHANGED = "Your balance has changed:"


def write_notice(message: str | None, amounts: Sequence[tuple[Asset, int]]) -> str:
    """Return the notification of a line from what it gave or, below zero, took. Units: minor."""
    text = ", ".join(format_amount(asset, amount_minor) for asset, amount_minor in amounts)
    has_deduction = any(amount_minor < 0 for _, amount_minor in amounts)
    return f"{message or (CHANGED if has_deduction else RECEIVED)} {text}"
