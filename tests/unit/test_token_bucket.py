"""What a token bucket gives, and when, held against the plainest account of it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.admission.token_bucket import TokenBucket


def test_a_bucket_begins_full_and_fills_again() -> None:
    bucket = TokenBucket(rate=2, most=10, now=100)
    assert bucket.take(10, 100) == 0
    assert bucket.take(1, 100) == 0.5
    assert bucket.take(1, 100.5) == 0
    assert bucket.level(1_000) == 10
    assert bucket.take(10, 1_000) == 0
    assert bucket.take(1, 1_000) == 0.5


def test_who_is_refused_takes_nothing() -> None:
    bucket = TokenBucket(rate=1, most=10, now=0)
    assert bucket.take(7, 0) == 0
    assert [bucket.take(4, 0) for _ in range(3)] == [1, 1, 1]
    assert bucket.take(3, 0) == 0


def test_more_than_the_bucket_holds_waits_until_it_is_full() -> None:
    bucket = TokenBucket(rate=1, most=10, now=0)
    assert bucket.take(4, 0) == 0
    assert bucket.take(11, 0) == 4


def test_a_debt_is_paid_first_and_is_no_larger_than_the_bucket() -> None:
    bucket = TokenBucket(rate=1, most=10, now=0)
    bucket.charge(15)
    assert bucket.take(1, 0) == 6
    bucket.charge(1_000)
    assert bucket.take(1, 0) == 11
    assert bucket.take(1, 11) == 0


@given(
    rate=st.integers(1, 50),
    most=st.integers(1, 100),
    steps=st.lists(st.tuples(st.integers(0, 64), st.integers(0, 120)), max_size=40),
)
def test_never_more_is_given_than_the_burst_and_what_came_back(
    rate: int, most: int, steps: list[tuple[int, int]]
) -> None:
    """Times are sixteenths of a second, which floats have exactly."""
    bucket, now, level = TokenBucket(rate, most, 0), Fraction(0), Fraction(most)
    for sixteenths, tokens in steps:
        now += Fraction(sixteenths, 16)
        level = min(Fraction(most), level + Fraction(sixteenths, 16) * rate)
        seconds = bucket.take(tokens, float(now))
        if tokens <= level:
            assert seconds == 0
            level -= tokens
        else:
            missing = min(tokens, most) - level
            assert seconds == pytest.approx(float(missing / rate))
