"""The one way in which a measurement refuses to be a result."""

from __future__ import annotations


class BenchmarkFailed(Exception):
    """A figure would not be honest, or could not be had: an answer was wrong, an invariant broken, a peer missing."""
