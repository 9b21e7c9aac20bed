"""`operation`: what became of a key after a time-out (ALL-4)."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import strawberry

from gateway.grants.status import StatusCode
from gateway.grants.vendor_order_store import fetch_pending
from gateway.operations.fencing import fetch_key
from gateway.operations.model import OperationKind, require_key
from gateway.operations.scopes import LOOKING_UP, authorize_looking_up
from resolvers.context import Info
from resolvers.fields import query
from resolvers.types.operation import Operation, to_operation


@query(
    "What became of one of the caller's own idempotency keys. Needs the scope of what the key is for, or `read`.",
    requires=LOOKING_UP,
)
async def operation(
    info: Info,
    kind: Annotated[OperationKind, strawberry.argument(description="What the key was used for.")],
    key: Annotated[
        str, strawberry.argument(description="The request id or client reference that was sent.")
    ],
) -> Operation:
    """Look the key up among those of the caller's partner."""
    context = info.context
    authorize_looking_up(context.caller, kind)
    require_key(key, ("key",))
    async with context.database.connection() as connection:
        record = await fetch_key(connection, context.caller, kind, key)
        waiting = _pending_grants(record.answer) if record else []
        if waiting:
            waiting = list(await fetch_pending(connection, context.caller.tenant_id, waiting))
    return to_operation(kind, key, record, is_waiting=bool(waiting))


def _pending_grants(answer: Any) -> list[UUID]:
    """Return the grants that were pending when an answer was stored: of an issuance, an item or a grant."""
    items = answer.get("items", [answer]) if isinstance(answer, dict) else []
    return [UUID(item["grant_id"]) for item in items if item.get("code") == StatusCode.PENDING]
