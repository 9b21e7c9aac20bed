"""The ids of the master keys that values of this database are sealed with. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.storage.database import Connection

FETCH = "SELECT id, ordinal FROM secret_keys ORDER BY ordinal"

RECORD = """
INSERT INTO secret_keys (ordinal, id, recorded_at) VALUES ($1, $2, now())
ON CONFLICT DO NOTHING
"""


async def fetch_keys(connection: Connection) -> dict[str, int]:
    """Return the ordinal of each id that was recorded, in order."""
    return {row["id"]: row["ordinal"] for row in await connection.fetch(FETCH)}


async def record_key(connection: Connection, key_id: str, recorded: Mapping[str, int]) -> None:
    """Add an id to those that are recorded, if these still are all: who came first has taken the ordinal."""
    await connection.execute(RECORD, max(recorded.values(), default=0) + 1, key_id)
