"""What one process knows of issuers and their keys; all of it is learned off the path of requests."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic
from uuid import UUID

from gateway.access import StandardAssets
from gateway.errors import Overloaded
from gateway.signing_in.issuer import Issuer
from gateway.signing_in.issuer_store import fetch_all_issuers
from gateway.signing_in.key_client import KeyClient, KeysUnavailable
from gateway.signing_in.public_keys import PublicKey, PublicKeys, choose_key
from gateway.storage.database import Database

# How long what the database says may be out of date before no token of an issuer is believed.
STALE_SECONDS_MAX = 10.0
KEYS_FETCHED_EVERY_SECONDS = 300.0
# A token may name a key that is new: then keys are fetched sooner, and no more often than this, whatever tokens name.
KEYS_ASKED_EVERY_SECONDS = 30.0
KEYS_TRIED_AGAIN_SECONDS = 5.0
# For how long an issuer whose keys cannot be fetched is believed.
KEYS_KEPT_SECONDS = 6 * 3_600.0

logger = logging.getLogger(__name__)


class KnownIssuer:
    """An issuer, whose tenant it is, and its keys as they were last fetched."""

    def __init__(self, tenant_id: UUID, standard_assets: StandardAssets, issuer: Issuer) -> None:
        """Begin without keys; they are due at once."""
        self.tenant_id = tenant_id
        self.standard_assets = standard_assets
        self.issuer = issuer
        self.is_removed = False
        self.keys: PublicKeys = {}
        self._fetched_at = self._tried_at = -KEYS_KEPT_SECONDS
        self._due_at = 0.0
        self._is_asked_for = False

    def find_key(self, key_id: str | None, algorithm: str) -> PublicKey | None:
        """Return the key that a token names; one that is unknown is asked for, and found by a later token."""
        if monotonic() - self._fetched_at > KEYS_KEPT_SECONDS:
            self.keys = {}
        key = choose_key(self.keys, key_id, algorithm)
        if key is None:
            self._is_asked_for = True
        return key

    def take_turn(self, now: float) -> bool:
        """Tell whether keys are to be fetched now; then they are not due again until that has ended, or for a while."""
        asked = self._is_asked_for and now - self._tried_at >= KEYS_ASKED_EVERY_SECONDS
        if not (asked or now >= self._due_at):
            return False
        self._is_asked_for = False
        self._tried_at = now
        self._due_at = now + KEYS_ASKED_EVERY_SECONDS
        return True

    async def fetch_keys(self, client: KeyClient) -> None:
        """Fetch the keys; where that fails, those that are known stay, and it is tried again soon."""
        try:
            self.keys = await client.fetch(self.issuer.jwks_url)
        except KeysUnavailable as failure:
            self._due_at = monotonic() + KEYS_TRIED_AGAIN_SECONDS
            logger.warning("keys of issuer %s cannot be fetched: %s", self.issuer.id, failure)
        else:
            self._fetched_at = monotonic()
            self._due_at = self._fetched_at + KEYS_FETCHED_EVERY_SECONDS


class KnownIssuers:
    """Every issuer that is trusted, by address and audience; `refresh` and `fetch_due` are jobs of every process."""

    def __init__(self, database: Database, client: KeyClient) -> None:
        """Know nothing yet."""
        self._database = database
        self._client = client
        self._by_meaning: dict[tuple[str, str], KnownIssuer] = {}
        self._refreshed_at = -STALE_SECONDS_MAX
        self._tasks: set[asyncio.Task[None]] = set()

    def find(self, url: str, audiences: Sequence[str]) -> KnownIssuer | None:
        """Return the issuer that a token means; None if there is none, or if the token is for several.

        Raises:
            Overloaded: it is not known any more which issuers are trusted.
        """
        if monotonic() - self._refreshed_at > STALE_SECONDS_MAX:
            raise Overloaded("Tokens of issuers cannot be verified now; try again shortly.")
        named = {audience: self._by_meaning.get((url, audience)) for audience in audiences}
        found = [known for known in named.values() if known is not None]
        return found[0] if len(found) == 1 else None

    async def refresh(self) -> int:
        """Learn which issuers are trusted now; one round trip. Returns 0: there is nothing to go on with at once."""
        asked_at = monotonic()
        async with self._database.connection() as connection:
            rows = await fetch_all_issuers(connection)
        before = {known.issuer.id: known for known in self._by_meaning.values()}
        self._by_meaning = {}
        for tenant_id, standard_assets, issuer in rows:
            known = before.pop(issuer.id, None)
            if known is None:
                known = KnownIssuer(tenant_id, standard_assets, issuer)
            self._by_meaning[issuer.url, issuer.audience] = known
        for removed in before.values():
            removed.is_removed = True
        self._refreshed_at = asked_at
        return 0

    async def fetch_due(self) -> int:
        """Begin to fetch the keys that are due; none waits for another's. Returns 0."""
        now = monotonic()
        for known in self._by_meaning.values():
            if known.take_turn(now):
                task = asyncio.create_task(known.fetch_keys(self._client))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return 0

    async def wait(self) -> None:
        """Wait until the keys that are being fetched are there, or are known to be unavailable."""
        await asyncio.gather(*self._tasks)

    async def close(self) -> None:
        """Stop fetching."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()
