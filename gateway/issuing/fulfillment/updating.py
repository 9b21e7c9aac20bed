"""Use case: move a grant to another stage of fulfillment.

Round trips inside the database transaction: claim the key, find the grant, find the stages, move, store the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.grants.list_store import fetch_visible_grants
from gateway.grants.row import GrantRow
from gateway.ids import new_id
from gateway.issuing.fulfillment.model import NOTE_LENGTH_MAX, STAGE_LENGTH_MAX, FirstStage
from gateway.issuing.fulfillment.store import fetch_stages, move
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.text import check_text


@dataclass(frozen=True, slots=True)
class UpdateFulfillment:
    """Which grant comes to which stage. `grant_id` None stands for an id that can name no grant."""

    request_id: str
    grant_id: UUID | None
    stage: str
    note: str | None = None


@dataclass(frozen=True, slots=True)
class UpdatedFulfillment:
    """The grant that moved."""

    grant: GrantRow
    idempotent_replay: bool


async def update_fulfillment(
    database: Database, caller: Caller, command: UpdateFulfillment
) -> UpdatedFulfillment:
    """Put a grant at a declared stage, forwards or backwards, whatever its status: what comes back was sent out.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path; a stage that is not declared is one.
        NotFound: the caller's organization has no such grant.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.ISSUE)
    if errors := _check(command):
        raise InvalidInput(errors)
    given = {"grantId": command.grant_id, "stage": command.stage, "note": command.note}
    request = Request(OperationKind.UPDATE_FULFILLMENT, command.request_id, given, new_id())

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        grant = await _find_grant(connection, caller, command)
        stages = await fetch_stages(connection, caller.tenant_id, grant.organization_id)
        if command.stage not in {stage.name for stage in stages}:
            message = "stage must be a stage that the organization has declared."
            raise InvalidInput([FieldError(("input", "stage"), "exists", message)])
        target = FirstStage(grant.id, grant.organization_id, command.stage)
        await move(connection, caller.tenant_id, target, command.note, operation)
        return {"grant_id": str(grant.id)}

    answer = await run_once(database, caller, request, work)
    grant_id = UUID(answer.value["grant_id"])
    async with database.connection() as connection:
        grants = await fetch_visible_grants(connection, caller, [grant_id])
    return UpdatedFulfillment(grants[grant_id], answer.idempotent_replay)


async def _find_grant(
    connection: Connection, caller: Caller, command: UpdateFulfillment
) -> GrantRow:
    wanted = [command.grant_id] if command.grant_id else []
    for grant in (await fetch_visible_grants(connection, caller, wanted)).values():
        return grant
    raise NotFound("No such grant.", ("input", "grantId"))


def _check(command: UpdateFulfillment) -> list[FieldError]:
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_text(command.stage, ("input", "stage"), STAGE_LENGTH_MAX)
    return errors + check_text(command.note, ("input", "note"), NOTE_LENGTH_MAX)
