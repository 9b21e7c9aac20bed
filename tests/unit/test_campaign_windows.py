"""Windows begin and end at local midnights, whatever daylight saving does; the fullest rolling window is found."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.campaigns.model import CalendarUnit, Limit, LimitScope
from gateway.campaigns.windows import FOR_EVER, busiest_window, window_end, window_start

pytestmark = pytest.mark.requirement("MON-12")

DAY, WEEK, MONTH = (Limit(LimitScope.MEMBER, 1, unit) for unit in CalendarUnit)
START = datetime(2026, 11, 23, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("limit", "at", "zone", "start", "end"),
    [
        (DAY, "2026-11-23T22:59:59", "Europe/Oslo", "2026-11-23", "2026-11-23T23:00:00"),
        (DAY, "2026-11-23T23:00:00", "Europe/Oslo", "2026-11-24", "2026-11-24T23:00:00"),
        # Twenty-five hours: the clocks go back on 25 October.
        (DAY, "2026-10-24T22:00:00", "Europe/Oslo", "2026-10-25", "2026-10-25T23:00:00"),
        (DAY, "2026-10-25T22:59:59", "Europe/Oslo", "2026-10-25", "2026-10-25T23:00:00"),
        # Twenty-three hours: they go forward on 29 March.
        (DAY, "2026-03-28T23:00:00", "Europe/Oslo", "2026-03-29", "2026-03-29T22:00:00"),
        (DAY, "2026-03-29T22:00:00", "Europe/Oslo", "2026-03-30", "2026-03-30T22:00:00"),
        # In Beirut they go forward at midnight: 29 March begins at one.
        (DAY, "2026-03-28T21:59:59", "Asia/Beirut", "2026-03-28", "2026-03-28T22:00:00"),
        (DAY, "2026-03-28T22:00:00", "Asia/Beirut", "2026-03-29", "2026-03-29T21:00:00"),
        (WEEK, "2026-11-22T22:59:59", "Europe/Oslo", "2026-11-16", "2026-11-22T23:00:00"),
        (WEEK, "2026-11-22T23:00:00", "Europe/Oslo", "2026-11-23", "2026-11-29T23:00:00"),
        (MONTH, "2026-01-31T23:30:00", "UTC", "2026-01-01", "2026-02-01T00:00:00"),
        (MONTH, "2026-12-31T23:30:00", "Asia/Tokyo", "2027-01-01", "2027-01-31T15:00:00"),
        (MONTH, "2028-02-29T12:00:00", "UTC", "2028-02-01", "2028-03-01T00:00:00"),
    ],
)
def test_calendar_window_has_local_bounds(
    limit: Limit, at: str, zone: str, start: str, end: str
) -> None:
    assert window_start(limit, utc(at), zone) == date.fromisoformat(start)
    assert window_end(limit, utc(at), zone) == utc(end)


def test_other_windows_have_no_calendar_bounds() -> None:
    for limit in (Limit(LimitScope.TOTAL, 1), Limit(LimitScope.TOTAL, 1, rolling_seconds=60)):
        assert window_start(limit, START, "UTC") == FOR_EVER
        assert window_end(limit, START, "UTC") is None


@given(
    st.integers(0, 15 * 365 * 24 * 60),
    st.sampled_from(
        [
            "UTC",
            "Europe/Oslo",
            "America/Havana",
            "Asia/Beirut",
            "Pacific/Apia",
            "Australia/Lord_Howe",
        ]
    ),
    st.sampled_from([DAY, WEEK, MONTH]),
)
def test_window_ends_where_the_next_begins(minutes: int, zone: str, limit: Limit) -> None:
    at = utc("2020-01-01T00:00:00") + timedelta(minutes=minutes)
    end = window_end(limit, at, zone)
    assert end is not None
    assert at < end
    just_before = end - timedelta(microseconds=1)
    assert window_start(limit, just_before, zone) == window_start(limit, at, zone)
    assert window_start(limit, end, zone) > window_start(limit, at, zone)


@given(st.lists(st.integers(0, 60)), st.integers(0, 60), st.integers(1, 30))
def test_fullest_window_is_that_of_a_plain_search(seconds: list[int], at: int, length: int) -> None:
    times = [START + timedelta(seconds=second) for second in seconds]
    plain = max(
        sum(start <= second < start + length for second in seconds)
        for start in range(at - length + 1, at + 1)
    )
    found = busiest_window(times, START + timedelta(seconds=at), timedelta(seconds=length))
    assert found == plain
