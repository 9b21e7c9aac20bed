"""The id that a partner's own system gives a member: opaque, kept as it is."""

from __future__ import annotations

LENGTH_MAX = 128


def normalize(value: str) -> str:
    """Return the id unchanged.

    Raises:
        ValueError: the rule that is broken, as the end of a sentence.
    """
    if not 1 <= len(value) <= LENGTH_MAX:
        message = f"must be 1 to {LENGTH_MAX} characters"
        raise ValueError(message)
    # What cannot be seen makes two ids look like one.
    if not value.isprintable() or value != value.strip():
        message = "must be printable characters without spaces around them"
        raise ValueError(message)
    return value
