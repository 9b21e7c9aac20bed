"""Use case: give a member a short-lived code for a till."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.issuing.tills.model import SECONDS_DEFAULT, SECONDS_MAX, Till, hash_code, new_code
from gateway.issuing.tills.store import fetch_till, insert_code
from gateway.members.model import MemberReference
from gateway.members.store import find_members
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class RequestCode:
    """For whom and where. A member asks for themselves. `till_id` None stands for an id that can name no till."""

    request_id: str
    till_id: UUID | None
    member: MemberReference | None = None
    valid_seconds: int = SECONDS_DEFAULT


@dataclass(frozen=True, slots=True)
class RequestedCode:
    """The code, once: a replay has none, because only its hash was kept."""

    code: str | None
    expires_at: datetime
    idempotent_replay: bool

    def __repr__(self) -> str:
        return f"RequestedCode(expires_at={self.expires_at})"


async def request_validation_code(
    database: Database, caller: Caller, command: RequestCode
) -> RequestedCode:
    """Make a code that the member can use once, at this till, until it expires.

    A till's own credential should not have the members scope: it would make the codes that it has to ask for.

    Raises:
        Forbidden: the credential is neither a member's nor has the members scope.
        InvalidInput: every broken rule, by path.
        NotFound: the member or the till is unknown to the caller.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.MEMBER, Scope.MEMBERS)
    if errors := _check(caller, command):
        raise InvalidInput(errors)
    given = {
        "till": command.till_id,
        "member": command.member or [None, str(caller.member_id)],
        "validSeconds": command.valid_seconds,
    }
    request = Request(OperationKind.REQUEST_VALIDATION_CODE, command.request_id, given, new_id())
    code = new_code()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        member_id = await _find_member(connection, caller, command)
        till = await _find_till(connection, caller, command)
        code_hash = hash_code(caller.tenant_id, till.id, member_id, code)
        expires_at = operation.at + timedelta(seconds=command.valid_seconds)
        scope = (caller.tenant_id, code_hash, till.id, member_id)
        await insert_code(connection, *scope, operation.at, expires_at)
        return {"expires_at": expires_at.isoformat()}

    answer = await run_once(database, caller, request, work)
    return RequestedCode(
        code=None if answer.idempotent_replay else code,
        expires_at=datetime.fromisoformat(answer.value["expires_at"]),
        idempotent_replay=answer.idempotent_replay,
    )


async def _find_member(connection: Connection, caller: Caller, command: RequestCode) -> UUID:
    if caller.member_id is not None:
        return caller.member_id
    assert command.member is not None  # noqa: S101 - checked before
    (member_id,) = await find_members(connection, caller.tenant_id, [command.member])
    if member_id is None:
        raise NotFound("No such member.", ("input", "member"))
    return member_id


async def _find_till(connection: Connection, caller: Caller, command: RequestCode) -> Till:
    """Return the till: a member may be at any of the tenant's, a partner names one that it reaches."""
    till = None
    if command.till_id is not None:
        till = await fetch_till(connection, caller.tenant_id, command.till_id)
    reach = caller.reach | {caller.organization_id}
    if till is None or (caller.member_id is None and till.organization_id not in reach):
        raise NotFound("No such till.", ("input", "tillId"))
    return till


def _check(caller: Caller, command: RequestCode) -> list[FieldError]:
    errors = check_key(command.request_id, ("input", "requestId"))
    path = ("input", "member")
    if caller.member_id is None and command.member is None:
        errors.append(FieldError(path, "required", "member is required for a partner."))
    if caller.member_id is not None and command.member is not None:
        message = "member must be left out: a member asks for themselves."
        errors.append(FieldError(path, "unexpected", message))
    if not 1 <= command.valid_seconds <= SECONDS_MAX:
        message = f"validSeconds must be from 1 to {SECONDS_MAX}."
        errors.append(FieldError(("input", "validSeconds"), "range", message))
    return errors
