"""Use case: give a member one more identifier.

Round trips inside the database transaction: at most 7, none of them per identifier.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import AlreadyExists, FieldError, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.members import store
from gateway.members.authority import require_authority
from gateway.members.model import IDENTIFIERS_PER_MEMBER_MAX, Identifier, Member, MemberReference
from gateway.members.racing import IdentifierRaced, run_once_despite_races
from gateway.operations.model import Operation, OperationKind, Request, require_key
from gateway.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class LinkIdentifier:
    """Which member gets which identifier. `member_path` is the input field that named the member."""

    request_id: str
    member: MemberReference
    identifier: Identifier
    member_path: tuple[str, ...] = ("input", "member")


@dataclass(frozen=True, slots=True)
class LinkedIdentifier:
    """The member who has the identifier now."""

    member_id: UUID
    idempotent_replay: bool


async def link_identifier(
    database: Database, caller: Caller, command: LinkIdentifier
) -> LinkedIdentifier:
    """Give the member the identifier; a member who has it already keeps it.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: the command breaks a rule, or the member has as many identifiers as it may have.
        NotFound: the reference names no member.
        AlreadyExists: the identifier belongs to another member.
        OutOfReach: another organization made the member, who does not have the identifier.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.MEMBERS)
    require_key(command.request_id, ("input", "requestId"))
    request = Request(
        OperationKind.LINK_IDENTIFIER,
        command.request_id,
        {"member": [*command.member], "identifier": [*command.identifier]},
        new_id(),
    )

    async def work(connection: Connection, operation: Operation) -> dict[str, object]:
        member_id = await _link(connection, caller, command, operation.at)
        return {"member_id": str(member_id)}

    answer = await run_once_despite_races(database, caller, request, work)
    return LinkedIdentifier(UUID(answer.value["member_id"]), answer.idempotent_replay)


async def add_identifiers(
    connection: Connection,
    caller: Caller,
    member: Member,
    identifiers: Sequence[Identifier],
    at: datetime,
    path: tuple[str, ...],
) -> None:
    """Give a locked member identifiers that were free a moment ago, if the caller may change the member.

    Raises:
        OutOfReach: the caller may not; the error has this path.
        IdentifierRaced: one of them is not free any more.
        InvalidInput: the member would have too many; the error has this path.
    """
    tenant_id, member_id = caller.tenant_id, member.id
    require_authority(caller, member, path)
    # Counted under the lock, so that two calls together cannot pass the limit.
    stored = await store.fetch_identifiers(connection, tenant_id, [member_id])
    if len(stored[member_id]) + len(set(identifiers)) > IDENTIFIERS_PER_MEMBER_MAX:
        message = f"A member may have at most {IDENTIFIERS_PER_MEMBER_MAX} identifiers."
        raise InvalidInput([FieldError(path, "count", message)])
    if await store.insert_identifiers(connection, tenant_id, member_id, identifiers, at):
        raise IdentifierRaced


async def _link(
    connection: Connection, caller: Caller, command: LinkIdentifier, at: datetime
) -> UUID:
    tenant_id, path = caller.tenant_id, ("input", "identifier")
    member_id, owner = await store.find_members(
        connection, tenant_id, [command.member, command.identifier]
    )
    if member_id is None:
        raise NotFound("No such member.", command.member_path)
    if owner not in {None, member_id}:
        raise AlreadyExists("This identifier belongs to another member.", path)
    if owner is None:
        member = await store.lock_member(connection, tenant_id, member_id)
        await add_identifiers(connection, caller, member, [command.identifier], at, path)
    return member_id
