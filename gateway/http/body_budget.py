"""How many bytes of unfinished bodies the process keeps, so that slow senders cannot fill its memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from gateway.http.refusals import RETRY_AFTER_SECONDS, RequestRefused

# Times the largest body: of all callers together, and of one tenant.
BODIES_MAX: Final = 16
TENANT_BODIES_MAX: Final = 6


class BodyBudget:
    """The bytes that are kept of bodies which have not come to their end: in all, and by tenant."""

    def __init__(self, body_bytes_max: int) -> None:
        """Keep room for sixteen of the largest bodies, and for six of one tenant."""
        self._bytes_max = BODIES_MAX * body_bytes_max
        self._tenant_bytes_max = TENANT_BODIES_MAX * body_bytes_max
        self._bytes = 0
        self._tenant_bytes: defaultdict[Hashable, int] = defaultdict(int)

    @contextmanager
    def keep(self, tenant: Hashable) -> Iterator[BodyShare]:
        """Give a share that grows with a body; the block's end gives it back."""
        share = BodyShare(self, tenant)
        try:
            yield share
        finally:
            self._bytes -= share.size_bytes
            self._tenant_bytes[tenant] -= share.size_bytes
            if not self._tenant_bytes[tenant]:
                del self._tenant_bytes[tenant]

    def add(self, tenant: Hashable, size_bytes: int) -> bool:
        """Count more bytes; False, and nothing is counted, where there is no room for them."""
        if (
            self._bytes + size_bytes > self._bytes_max
            or self._tenant_bytes[tenant] + size_bytes > self._tenant_bytes_max
        ):
            return False
        self._bytes += size_bytes
        self._tenant_bytes[tenant] += size_bytes
        return True


class BodyShare:
    """What one body takes of the budget."""

    def __init__(self, budget: BodyBudget, tenant: Hashable) -> None:
        """Begin with nothing; use `BodyBudget.keep`."""
        self._budget = budget
        self._tenant = tenant
        self.size_bytes = 0

    def grow(self, size_bytes: int) -> None:
        """Count a piece that has come.

        Raises:
            RequestRefused: 503, there is no room for it.
        """
        if not self._budget.add(self._tenant, size_bytes):
            raise RequestRefused(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "OVERLOADED",
                "Too many large bodies are being sent at this time; try again shortly.",
                # The rest of the body is not read, so that the connection cannot be used again.
                {"Retry-After": RETRY_AFTER_SECONDS, "Connection": "close"},
            )
        self.size_bytes += size_bytes
