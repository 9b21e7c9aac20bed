"""Who has begun to beat and then is silent for too many looks in a row is named, once."""

from __future__ import annotations

import asyncio

import pytest

from gateway import heartbeats
from gateway.heartbeats import BEATS, Heartbeats, beat_forever

SILENCE_SECONDS_MAX = 3


@pytest.fixture
def hearts() -> Heartbeats:
    return Heartbeats(2, SILENCE_SECONDS_MAX)


def look(hearts: Heartbeats, times: int) -> list[list[int]]:
    return [hearts.look() for _ in range(times)]


def test_silence_is_named_once_when_it_has_been_too_long(hearts: Heartbeats):
    hearts.beat(1)
    assert look(hearts, 1 + SILENCE_SECONDS_MAX) == [[]] * (1 + SILENCE_SECONDS_MAX)
    assert look(hearts, 10) == [[1], *[[]] * 9]


def test_who_beats_now_and_then_is_not_silent(hearts: Heartbeats):
    """More often than there are different signs."""
    for _ in range(2 * BEATS):
        hearts.beat(0)
        assert look(hearts, SILENCE_SECONDS_MAX) == [[]] * SILENCE_SECONDS_MAX


def test_who_has_not_begun_may_take_its_time(hearts: Heartbeats):
    assert look(hearts, 100) == [[]] * 100


def test_replacement_begins_anew(hearts: Heartbeats):
    hearts.beat(0)
    look(hearts, SILENCE_SECONDS_MAX)
    hearts.forget(0)
    assert look(hearts, 100) == [[]] * 100
    hearts.beat(0)
    assert look(hearts, SILENCE_SECONDS_MAX) == [[]] * SILENCE_SECONDS_MAX
    assert [0] in look(hearts, 2)


async def test_loop_beats_for_as_long_as_it_runs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(heartbeats, "BEAT_SECONDS", 0.001)
    beats = 0
    enough = asyncio.Event()

    def beat() -> None:
        nonlocal beats
        beats += 1
        if beats == 5:
            enough.set()
            # The loop outlives this test, and the beat must not.
            monkeypatch.setattr(heartbeats, "beat_forever", lambda _: None)

    beat_forever(beat)
    assert beats == 1
    async with asyncio.timeout(10):
        await enough.wait()
    await asyncio.sleep(0.01)
    assert beats == 5
