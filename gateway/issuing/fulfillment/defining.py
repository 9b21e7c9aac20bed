"""Use case: declare a stage of fulfillment, or move one to another place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput
from gateway.ids import new_id
from gateway.issuing.fulfillment.model import POSITION_MAX, STAGE_LENGTH_MAX, STAGES_MAX, Stage
from gateway.issuing.fulfillment.store import define_stage, fetch_stages
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.text import check_text


@dataclass(frozen=True, slots=True)
class DefineStage:
    """A stage of the caller's organization; a position of None is after the last, or where the stage is."""

    request_id: str
    name: str
    position: int | None = None


@dataclass(frozen=True, slots=True)
class DefinedStage:
    """The stage, as the first request with this key left it."""

    stage: Stage
    idempotent_replay: bool


async def define_fulfillment_stage(
    database: Database, caller: Caller, command: DefineStage
) -> DefinedStage:
    """Declare a stage. A new grant begins at the first one, unless its item names another.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    if errors := _check(command):
        raise InvalidInput(errors)
    given = {"name": command.name, "position": command.position}
    request = Request(OperationKind.DEFINE_FULFILLMENT_STAGE, command.request_id, given, new_id())
    scope = (caller.tenant_id, caller.organization_id)

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        known = await fetch_stages(connection, *scope)
        if len(known) >= STAGES_MAX and command.name not in {stage.name for stage in known}:
            message = f"An organization has at most {STAGES_MAX} stages."
            raise InvalidInput([FieldError(("input", "name"), "count", message)])
        stage = await define_stage(connection, *scope, command.name, command.position, operation.at)
        return {"name": stage.name, "position": stage.position}

    answer = await run_once(database, caller, request, work)
    return DefinedStage(Stage(**answer.value), answer.idempotent_replay)


def _check(command: DefineStage) -> list[FieldError]:
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_text(command.name, ("input", "name"), STAGE_LENGTH_MAX)
    if command.position is not None and not 1 <= command.position <= POSITION_MAX:
        message = f"position must be from 1 to {POSITION_MAX}."
        errors.append(FieldError(("input", "position"), "range", message))
    return errors
