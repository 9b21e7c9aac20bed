"""Parameters of statements that are put together: $1 is the tenant's in each of them, and stays so."""

from __future__ import annotations

import re

_PARAMETER = re.compile(r"\$([0-9]+)")


def count_parameters(statement: str) -> int:
    """Return how many parameters a statement has, the tenant among them."""
    return max(map(int, _PARAMETER.findall(statement)))


def shift_parameters(statement: str, by: int) -> str:
    """Return the statement with all parameters but the tenant moved up, to make room for those of others before it."""

    def shift(found: re.Match[str]) -> str:
        number = int(found[1])
        return f"${number + by}" if number > 1 else found[0]

    return _PARAMETER.sub(shift, statement)
