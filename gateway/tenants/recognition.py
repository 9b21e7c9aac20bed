"""Recognise callers without asking the database about a busy token more than once a second."""

from __future__ import annotations

import time
from collections import OrderedDict

from gateway.access import Caller
from gateway.storage.database import Database
from gateway.tenants.credentials import authenticate

# How long a revoked or expired token may still open this process.
TRUST_SECONDS = 1.0
TOKENS_MAX = 10_000


class Recognition:
    """Remembers for a second who held a token; refusals are not remembered."""

    def __init__(self, database: Database) -> None:
        """Take where credentials are."""
        self._database = database
        self._known: OrderedDict[str, tuple[float, Caller]] = OrderedDict()

    async def recognise(self, token: str) -> Caller:
        """Return who holds the token; no round trip if it was recognised within the last second.

        Raises:
            Unauthenticated: it is not a token, or it is unknown, expired or revoked.
        """
        known = self._known.get(token)
        now = time.monotonic()
        if known is not None and now < known[0]:
            return known[1]
        caller = await authenticate(self._database, token)
        self._known[token] = now + TRUST_SECONDS, caller
        self._known.move_to_end(token)
        # The oldest first: they are the ones that have lapsed.
        while len(self._known) > TOKENS_MAX:
            self._known.popitem(last=False)
        return caller
