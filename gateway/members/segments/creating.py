"""Use case: make a segment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import AlreadyExists, InvalidInput
from gateway.ids import new_id
from gateway.members.segments.model import NAME_LENGTH_MAX, Segment
from gateway.members.segments.store import insert_segment
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.text import check_text


@dataclass(frozen=True, slots=True)
class CreateSegment:
    """A new segment of the caller's organization."""

    request_id: str
    name: str


@dataclass(frozen=True, slots=True)
class CreatedSegment:
    """The segment that the first request with this key made."""

    segment: Segment
    idempotent_replay: bool


async def create_segment(
    database: Database, caller: Caller, command: CreateSegment
) -> CreatedSegment:
    """Make a segment without members.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        AlreadyExists: the organization has a segment of this name.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.MEMBERS)
    errors = check_key(command.request_id, ("input", "requestId"))
    if errors := errors + check_text(command.name, ("input", "name"), NAME_LENGTH_MAX):
        raise InvalidInput(errors)
    given = {"name": command.name}
    request = Request(OperationKind.CREATE_SEGMENT, command.request_id, given, new_id())
    segment_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        segment = Segment(segment_id, caller.organization_id, command.name, operation.at)
        if not await insert_segment(connection, caller.tenant_id, segment):
            message = "The organization has a segment of this name."
            raise AlreadyExists(message, ("input", "name"))
        return {"id": str(segment_id), "created_at": operation.at.isoformat()}

    answer = await run_once(database, caller, request, work)
    segment = Segment(
        UUID(answer.value["id"]),
        caller.organization_id,
        command.name,
        datetime.fromisoformat(answer.value["created_at"]),
    )
    return CreatedSegment(segment, answer.idempotent_replay)
