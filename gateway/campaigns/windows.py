"""The windows that limits count in. Calendar windows follow the campaign's own time zone, daylight saving included."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from gateway.campaigns.model import CalendarUnit, Limit

# Stands for a window that has no beginning.
FOR_EVER = date(1, 1, 1)


@lru_cache(maxsize=1)
def known_time_zones() -> frozenset[str]:
    """Return the names of the IANA time zones."""
    return frozenset(available_timezones())


def window_start(limit: Limit, at: datetime, time_zone: str) -> date:
    """Return the local date on which the window around `at` begins; FOR_EVER unless it is a calendar window."""
    day = at.astimezone(ZoneInfo(time_zone)).date()
    match limit.calendar:
        case None:
            return FOR_EVER
        case CalendarUnit.DAY:
            return day
        case CalendarUnit.WEEK:
            return day - timedelta(days=day.weekday())
        case CalendarUnit.MONTH:
            return day.replace(day=1)


def window_end(limit: Limit, at: datetime, time_zone: str) -> datetime | None:
    """Return the moment at which the calendar window around `at` ends; None for other windows.

    A local midnight that daylight saving skips or repeats is the first moment of the new date.
    """
    start = window_start(limit, at, time_zone)
    match limit.calendar:
        case None:
            return None
        case CalendarUnit.DAY:
            after = start + timedelta(days=1)
        case CalendarUnit.WEEK:
            after = start + timedelta(days=7)
        case CalendarUnit.MONTH:
            after = (start + timedelta(days=31)).replace(day=1)
    return datetime.combine(after, time(0), ZoneInfo(time_zone)).astimezone(UTC)


def busiest_window(times: Sequence[datetime], at: datetime, length: timedelta) -> int:
    """Return how many of the times lie in the fullest window of this length that has `at` in it.

    A window is half-open: two moments exactly `length` apart are in none together. Events may arrive late, so `times`
    has later ones too; all that are closer to `at` than `length` must be among them.
    """
    ordered = sorted(moment for moment in times if at - length < moment < at + length)
    # The fullest window can be moved until it begins at one of the times, or at `at` itself.
    starts = [moment for moment in ordered if moment <= at] + [at]
    return max(
        bisect_left(ordered, start + length) - bisect_left(ordered, start) for start in starts
    )
