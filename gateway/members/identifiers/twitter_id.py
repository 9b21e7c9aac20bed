"""Twitter (X) user ids, as decimal text: the number that stays, not the name that may change."""

from __future__ import annotations

import re

# The oldest accounts have two digits; new ones have nineteen.
_DIGITS = re.compile(r"[1-9][0-9]{0,19}")
_ID_MAX = 2**64 - 1


def normalize(value: str) -> str:
    """Return the id unchanged.

    Raises:
        ValueError: the rule that is broken, as the end of a sentence.
    """
    if _DIGITS.fullmatch(value) is None or int(value) > _ID_MAX:
        message = "must be a Twitter user id: 1 to 20 digits, at most 64 bits; not a user name"
        raise ValueError(message)
    return value
