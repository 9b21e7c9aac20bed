"""`operation`: what became of a key after a time-out (ALL-4)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import strawberry

from gateway.grants.status import StatusCode
from gateway.grants.vendor_order_store import fetch_pending
from gateway.ids import IdKind, encode_id
from gateway.operations.model import OperationKind, require_key
from gateway.operations.store import fetch_operations
from resolvers.context import Info
from resolvers.fields import resolved
from resolvers.types.operation import Operation

PENDING = (
    "It was done, and vendors have not answered for some of its rewards yet. Send the same request with the same key later "
    "to see what has become of them."
)
COMPLETE = "It was done. Send the same request with the same key to have its answer again."
NOT_FOUND = (
    "Nothing was done under this key, or it is being done right now. Send the same request with the same key: it is done "
    "once, whichever arrives first."
)


@resolved("What became of one of the caller's own idempotency keys. Needs no scope.")
async def operation(
    info: Info,
    kind: Annotated[OperationKind, strawberry.argument(description="What the key was used for.")],
    key: Annotated[
        str, strawberry.argument(description="The request id or client reference that was sent.")
    ],
) -> Operation:
    """Look the key up among those of the caller's partner."""
    context = info.context
    require_key(key, ("key",))
    async with context.database.connection() as connection:
        found = await fetch_operations(connection, context.caller, [(kind, key)])
        row = found.get((kind, key))
        waiting = _pending_grants(row["answer"]) if row else []
        if waiting:
            waiting = list(await fetch_pending(connection, context.caller.tenant_id, waiting))
    return Operation(
        kind=kind,
        key=key,
        found=row is not None,
        id=strawberry.ID(encode_id(IdKind.OPERATION, row["id"])) if row else None,
        created_at=row["created_at"] if row else None,
        is_complete=row is not None and row["answer"] is not None and not waiting,
        safe_to_retry=True,
        advice=(PENDING if waiting else COMPLETE) if row else NOT_FOUND,
    )


def _pending_grants(answer: Any) -> list[UUID]:
    """Return the grants that were pending when an answer was stored: of an issuance, an item or a grant."""
    items = answer.get("items", [answer]) if isinstance(answer, dict) else []
    return [UUID(item["grant_id"]) for item in items if item.get("code") == StatusCode.PENDING]
