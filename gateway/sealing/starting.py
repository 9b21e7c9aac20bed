"""Start with the right keys only: with others, what is sealed could not be opened, and what is sealed now not by others."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.errors import Overloaded
from gateway.keys.model import Keys
from gateway.sealing.key_store import fetch_keys, record_key
from gateway.storage.database import Database

ROUNDS_MAX = 10


class KeysMissing(Exception):
    """The configured keys lack some that the database's values are sealed with; the message is one line for a person."""

    def __init__(self, missing: Sequence[str]) -> None:
        """Name the keys by their ids."""
        names = " and ".join(missing)
        super().__init__(
            f"SECRET_KEYS (or secret.keys in DATA_DIR) lacks the key {names}, which seals values in this database: "
            "add it, behind the current one if that is new. `gateway keys list` shows the ids."
        )


async def find_missing_keys(database: Database, keys: Keys) -> list[str]:
    """Return the ids of the keys that the database's values are sealed with and that are not configured; one round trip."""
    async with database.connection() as connection:
        recorded = await fetch_keys(connection)
    return [key_id for key_id in recorded if key_id not in keys.ids]


async def require_keys(database: Database, keys: Keys) -> None:
    """See to it that every key in use is configured, and record the current one as in use.

    Round trips: one, or three at the first start with a key.

    Raises:
        KeysMissing: a key in use is not configured; nothing was recorded.
    """
    for _ in range(ROUNDS_MAX):
        async with database.connection() as connection:
            recorded = await fetch_keys(connection)
            if missing := [key_id for key_id in recorded if key_id not in keys.ids]:
                raise KeysMissing(missing)
            if keys.current_id in recorded:
                return
            # Another gateway may do so at this moment, with another key: what came of it is looked at again.
            await record_key(connection, keys.current_id, recorded)
    raise Overloaded("The key could not be recorded: others keep recording theirs.")
