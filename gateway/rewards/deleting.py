"""Use case: take a reward out of the catalog."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import NotFound
from gateway.ids import new_id
from gateway.operations.model import Operation, OperationKind, Request, require_key
from gateway.operations.once import run_once
from gateway.rewards.change_store import mark_deleted
from gateway.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class DeleteReward:
    """Which reward to take out of the catalog."""

    request_id: str
    reward_id: UUID


@dataclass(frozen=True, slots=True)
class DeletedReward:
    """The id of the reward that is gone."""

    reward_id: UUID
    idempotent_replay: bool


async def delete_reward(database: Database, caller: Caller, command: DeleteReward) -> DeletedReward:
    """Hide a reward for good; grants that were made keep showing the version they were made from (MON-5).

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: the request id is not a key.
        NotFound: the caller's organization has no such reward, or deleted it before.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    require_key(command.request_id, ("input", "requestId"))
    given = {"id": command.reward_id}
    request = Request(OperationKind.DELETE_REWARD, command.request_id, given, new_id())

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        scope = (caller.tenant_id, caller.organization_id)
        if not await mark_deleted(connection, *scope, command.reward_id, operation.at):
            raise NotFound("No such reward.", ("input", "id"))
        return {"id": str(command.reward_id)}

    answer = await run_once(database, caller, request, work)
    return DeletedReward(UUID(answer.value["id"]), answer.idempotent_replay)
