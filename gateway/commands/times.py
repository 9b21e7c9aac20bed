"""Times on the command line: durations such as `90d`, and dates."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

# A number of 18 digits would be beyond what a timedelta holds.
_DURATION = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_duration(text: str, option: str) -> timedelta:
    """Return a duration: a whole number and s, m, h, d or w. Another text is an error of usage."""
    duration = _find_duration(text)
    if duration is None:
        message = "must be a duration such as 30m, 12h, 90d or 4w"
        raise typer.BadParameter(message, param_hint=option)
    return duration


def read_end(text: str, option: str) -> datetime:
    """Return a moment: a duration from now, a date (its beginning in UTC) or a date and time. Another text is an error of usage."""
    if duration := _find_duration(text):
        return datetime.now(UTC) + duration
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        message = "must be a duration such as 90d, or a date such as 2027-01-31"
        raise typer.BadParameter(message, param_hint=option) from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def show(at: datetime | None) -> str:
    """Return a moment to the second, in UTC; `never` stands for none."""
    return at.astimezone(UTC).isoformat(timespec="seconds") if at else "never"


def _find_duration(text: str) -> timedelta | None:
    match = _DURATION.fullmatch(text)
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None
