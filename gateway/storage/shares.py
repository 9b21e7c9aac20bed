"""What one tenant holds of something that is scarce, and who of it waits for more."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any


class Share:
    """One tenant's part of what all use together: how much it holds now, how much it may, and who of it waits, in order.

    A share belongs to one line: what it counts is of one kind.
    """

    __slots__ = ("held", "most", "waiting")

    def __init__(self, most: int) -> None:
        """Begin with nothing held."""
        self.most = most
        self.held = 0
        # With how much each waits for.
        self.waiting: deque[tuple[asyncio.Future[Any], int]] = deque()

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing is held, and nobody waits."""
        return not (self.held or self.has_waiting())

    def has_waiting(self) -> bool:
        """Tell whether anybody still waits; who has given up is forgotten."""
        while self.waiting and self.waiting[0][0].done():
            self.waiting.popleft()
        return bool(self.waiting)
