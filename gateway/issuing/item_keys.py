"""The items' own request ids: idempotency keys within a call (CAP-8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.grants.status import StatusCode
from gateway.operations.model import Answer, IdempotencyConflict, Operation, Request
from gateway.operations.once import claim
from gateway.storage.database import Connection

Decision = Operation | Answer | IdempotencyConflict


async def claim_item_keys(
    connection: Connection, caller: Caller, requests: Sequence[Request]
) -> Mapping[UUID, Decision]:
    """Claim the keys of items of any number of calls and return what became of each, by the id that its operation would have.

    Round trips: none without keys, one if all are new, two if some are known.
    """
    if not requests:
        return {}
    decided = await claim(connection, caller, requests)
    return {
        request.operation_id: decision for request, decision in zip(requests, decided, strict=True)
    }


def settled_answer(decision: Answer | IdempotencyConflict) -> dict[str, Any]:
    """Return the answer of an item that is settled by its key: a replay or a conflict."""
    if isinstance(decision, Answer):
        return {**decision.value, "is_replay": True}
    return {
        "code": StatusCode.IDEMPOTENCY_CONFLICT,
        "message": decision.message,
        "grant_id": None,
    }
