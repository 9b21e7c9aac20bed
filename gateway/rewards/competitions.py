"""Use case: make a competition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.access import Caller, Scope, authorize
from gateway.errors import InvalidInput
from gateway.ids import new_id
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.item_store import insert_competition
from gateway.rewards.items import Competition
from gateway.rewards.rules import check_name
from gateway.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class CreateCompetition:
    """A new competition."""

    request_id: str
    name: str


@dataclass(frozen=True, slots=True)
class CompetitionOutcome:
    """The competition that the first request with this key made."""

    competition: Competition
    idempotent_replay: bool


async def create_competition(
    database: Database, caller: Caller, command: CreateCompetition
) -> CompetitionOutcome:
    """Make a competition, and the asset of the same id that counts its entries.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_name(command.name, ("input", "name"))
    if errors:
        raise InvalidInput(errors)
    given = {"name": command.name}
    request = Request(OperationKind.CREATE_COMPETITION, command.request_id, given, new_id())
    competition_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        competition = Competition(
            competition_id, caller.organization_id, command.name, operation.at
        )
        await insert_competition(connection, caller.tenant_id, competition)
        return competition.to_json()

    answer = await run_once(database, caller, request, work)
    return CompetitionOutcome(Competition.from_json(answer.value), answer.idempotent_replay)
