"""Use case: declare a till."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gateway.access import Caller, Scope, authorize
from gateway.errors import AlreadyExists, InvalidInput, OutOfReach
from gateway.ids import new_id
from gateway.issuing.tills.model import NAME_LENGTH_MAX, Till
from gateway.issuing.tills.store import insert_till
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.tenants.model import OrganizationReference
from gateway.text import check_text


@dataclass(frozen=True, slots=True)
class CreateTill:
    """A till; without an organization, the caller's own. Names that differ in case or in blanks around them are the same."""

    request_id: str
    name: str
    organization: OrganizationReference | None = None


@dataclass(frozen=True, slots=True)
class CreatedTill:
    """The till that the first request with this key declared."""

    till: Till
    idempotent_replay: bool


async def create_till(database: Database, caller: Caller, command: CreateTill) -> CreatedTill:
    """Declare a till: from then on, issuing there takes a validation code.

    Raises:
        Forbidden: the credential lacks the scope.
        OutOfReach: the credential does not reach the organization.
        InvalidInput: every broken rule, by path.
        AlreadyExists: the organization has a till of this name.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    errors = check_key(command.request_id, ("input", "requestId"))
    if errors := errors + check_text(command.name, ("input", "name"), NAME_LENGTH_MAX):
        raise InvalidInput(errors)
    wanted = command.organization
    organization_id = wanted.id if wanted else caller.organization_id
    if organization_id is None or organization_id not in caller.reach | {caller.organization_id}:
        raise OutOfReach("The credential does not reach this organization.", ("input", "orgId"))
    given = {"name": command.name, "orgId": organization_id}
    request = Request(OperationKind.CREATE_TILL, command.request_id, given, new_id())
    till_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        till = Till(till_id, organization_id, command.name, operation.at)
        if not await insert_till(connection, caller.tenant_id, till):
            message = "The organization has a till of this name."
            raise AlreadyExists(message, ("input", "name"))
        return till.to_json()

    answer = await run_once(database, caller, request, work)
    return CreatedTill(Till.from_json(answer.value), answer.idempotent_replay)
