"""Discord user ids, as decimal text."""

from __future__ import annotations

import re

# Today's ids have 17 to 19 digits. On3's own example, 11237863865923, has 14, so shorter ones pass; fewer than five
# digits is a typing error: such an id would be from the first milliseconds of Discord's clock.
_DIGITS = re.compile(r"[1-9][0-9]{4,19}")
_SNOWFLAKE_MAX = 2**64 - 1


def normalize(value: str) -> str:
    """Return the id unchanged.

    Raises:
        ValueError: the rule that is broken, as the end of a sentence.
    """
    if _DIGITS.fullmatch(value) is None or int(value) > _SNOWFLAKE_MAX:
        message = "must be a Discord user id: 5 to 20 digits, at most 64 bits"
        raise ValueError(message)
    return value
