"""When credentials were last used: noted in memory, and written once a minute, off every request's path."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime
from time import monotonic
from uuid import UUID

from gateway.storage.database import Database
from gateway.tenants.credentials_store import record_use

WRITTEN_EVERY_SECONDS = 60.0
CLOSED_IN_SECONDS_MAX = 2.0

logger = logging.getLogger(__name__)


class LastUse:
    """What one process has seen since it last wrote. The times are this machine's."""

    def __init__(self, database: Database) -> None:
        """Take where credentials are."""
        self._database = database
        self._seen: dict[tuple[UUID, UUID], datetime] = {}
        self._written_at = monotonic()

    def note(self, tenant_id: UUID, credential_id: UUID) -> None:
        """Remember that a credential is used now."""
        self._seen[tenant_id, credential_id] = datetime.now(UTC)

    async def write_due(self) -> int:
        """Write what was noted if a minute is over, and return 0: there is nothing to go on with at once."""
        if monotonic() - self._written_at >= WRITTEN_EVERY_SECONDS:
            await self.write()
        return 0

    async def write(self) -> None:
        """Write what was noted; one round trip, none if that is nothing. What cannot be written is kept for the next time."""
        self._written_at = monotonic()
        seen, self._seen = self._seen, {}
        if not seen:
            return
        try:
            async with self._database.connection() as connection:
                await record_use(connection, [(*key, at) for key, at in seen.items()])
        except BaseException:
            self._seen = seen | self._seen
            raise

    async def close(self) -> None:
        """Write what was noted, unless the database is gone or slow: nobody waits long for it at the end."""
        try:
            async with asyncio.timeout(CLOSED_IN_SECONDS_MAX):
                await self.write()
        except Exception as error:  # noqa: BLE001 - whatever it is, the process is about to end
            logger.warning("last uses of credentials were not written: %s", type(error).__name__)
