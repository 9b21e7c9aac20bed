"""Use case: a partner makes a short-lived token for one member, for that member's app to call with.

Round trips: claim the key, find the member, read who made them, read the tenant, write the credential, store the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.members.authority import require_authority
from gateway.members.model import MemberReference
from gateway.members.store import fetch_members, find_members
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.tenants.credentials import add_member_credential

SECONDS_DEFAULT = 900
SECONDS_MAX = 3_600
LABEL = "createMemberToken"


@dataclass(frozen=True, slots=True)
class CreateMemberToken:
    """For whom, and for how long."""

    request_id: str
    member: MemberReference
    valid_seconds: int = SECONDS_DEFAULT


@dataclass(frozen=True, slots=True)
class CreatedMemberToken:
    """The token, once: a replay has none, because only its hash was kept."""

    token: str | None
    credential_id: UUID
    expires_at: datetime
    idempotent_replay: bool

    def __repr__(self) -> str:
        return f"CreatedMemberToken(credential_id={self.credential_id})"


async def create_member_token(
    database: Database, caller: Caller, command: CreateMemberToken
) -> CreatedMemberToken:
    """Make a token with which one member sees and claims what is their own; it ends by itself, within an hour.

    It ends with the credential that made it too, if that is revoked.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        NotFound: the member is unknown.
        OutOfReach: another organization made the member, and the credential does not reach it.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.SIGN_IN)
    if errors := check_command(command):
        raise InvalidInput(errors)
    given = {"member": list(command.member), "validSeconds": command.valid_seconds}
    request = Request(OperationKind.CREATE_MEMBER_TOKEN, command.request_id, given, new_id())
    credential_id = new_id()
    text = ""

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        nonlocal text
        (member_id,) = await find_members(connection, caller.tenant_id, [command.member])
        if member_id is None:
            raise NotFound("No such member.", ("input", "member"))
        members = await fetch_members(connection, caller.tenant_id, [member_id])
        # The token shows what the member has of every organization.
        require_authority(caller, members[member_id], ("input", "member"))
        expires_at = operation.at + timedelta(seconds=command.valid_seconds)
        text = await add_member_credential(
            connection,
            caller,
            credential_id,
            member_id,
            label=LABEL,
            at=operation.at,
            expires_at=expires_at,
        )
        return {"credential_id": str(credential_id), "expires_at": expires_at.isoformat()}

    answer = await run_once(database, caller, request, work)
    return CreatedMemberToken(
        token=None if answer.idempotent_replay else text,
        credential_id=UUID(answer.value["credential_id"]),
        expires_at=datetime.fromisoformat(answer.value["expires_at"]),
        idempotent_replay=answer.idempotent_replay,
    )


def check_command(command: CreateMemberToken) -> list[FieldError]:
    """Return every broken rule of form."""
    errors = check_key(command.request_id, ("input", "requestId"))
    if not 1 <= command.valid_seconds <= SECONDS_MAX:
        message = f"validSeconds must be from 1 to {SECONDS_MAX}."
        errors.append(FieldError(("input", "validSeconds"), "range", message))
    return errors
