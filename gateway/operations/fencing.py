"""Fence a key: after a time-out, make sure that nothing is ever done under it.

Round trips: claim the key, mark it. Of a known key: claim, read (twice), commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.errors import InvalidInput
from gateway.ids import new_id
from gateway.operations import store
from gateway.operations.model import ANY_KEY_LENGTH_MAX, OperationKind, Request, check_key
from gateway.operations.model import Operation as ClaimedOperation
from gateway.operations.once import claim
from gateway.operations.scopes import authorize_fencing
from gateway.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is stored of a key: an operation that was done, or a fence that keeps any from being done."""

    id: UUID
    created_at: datetime
    is_fenced: bool
    answer: Any
    credential_id: UUID | None

    @property
    def is_complete(self) -> bool:
        """Tell whether the operation was done."""
        return self.answer is not None


async def fence_operation(
    database: Database, caller: Caller, kind: OperationKind, key: str
) -> KeyRecord:
    """Fence one of the caller's own keys, unless something was done under it; return what holds of the key from now on.

    A request that is running is waited for. Fencing again answers the same: the key is its own idempotency key.

    Raises:
        Forbidden: the credential may not do operations of this kind.
        InvalidInput: no operation can have such a key.
        RequestInProgress: a request with the key is still running after the lock time-out.
    """
    authorize_fencing(caller, kind)
    if errors := check_key(key, ("input", "key"), ANY_KEY_LENGTH_MAX):
        raise InvalidInput(errors)
    request = Request(kind, key, {}, new_id(), key_path=("input", "key"))

    async def attempt(connection: Connection) -> KeyRecord:
        (claimed,) = await claim(connection, caller, [request])
        if isinstance(claimed, ClaimedOperation):
            await store.fence(connection, caller, request, claimed)
            return KeyRecord(
                claimed.id,
                claimed.at,
                is_fenced=True,
                answer=None,
                credential_id=claimed.credential_id,
            )
        record = await fetch_key(connection, caller, kind, key)
        assert record is not None  # noqa: S101 - keys that were used or fenced are never deleted
        return record

    return await database.run_transaction(attempt)


async def fetch_key(
    connection: Connection, caller: Caller, kind: OperationKind, key: str
) -> KeyRecord | None:
    """Return what is stored of one of the caller's own keys, or None; one round trip."""
    found = await store.fetch_operations(connection, caller, [(kind, key)])
    row = found.get((kind, key))
    if row is None:
        return None
    return KeyRecord(
        id=row["id"],
        created_at=row["created_at"],
        is_fenced=row["fenced_at"] is not None,
        answer=row["answer"],
        credential_id=row["credential_id"],
    )
