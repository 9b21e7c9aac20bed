"""A token bucket: what may be spent at once, and how fast it comes back."""

from __future__ import annotations


class TokenBucket:
    """Holds at most `most` tokens, of which `rate` come back each second. Times are seconds of any clock that does not go back."""

    __slots__ = ("_at", "_level", "_most", "_rate")

    def __init__(self, rate: float, most: float, now: float) -> None:
        """Begin full."""
        self._rate = rate
        self._most = most
        self._level = most
        self._at = now

    def take(self, tokens: float, now: float) -> float:
        """Take tokens if all are there and return 0; else take none and return after how many seconds they are.

        For more than the bucket holds that is when it is full.
        """
        level = min(self._most, self._level + (now - self._at) * self._rate)
        self._at = now
        if level >= tokens:
            self._level = level - tokens
            return 0.0
        self._level = level
        return (min(tokens, self._most) - level) / self._rate

    def charge(self, tokens: float) -> None:
        """Take tokens for what was done already, also where that leaves a debt; it is never larger than the bucket."""
        self._level = max(-self._most, self._level - tokens)

    def level(self, now: float) -> float:
        """Return how many tokens there are."""
        return min(self._most, self._level + (now - self._at) * self._rate)
