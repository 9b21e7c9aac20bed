"""Use case: create a member, or bring the one who has these identifiers up to date.

Round trips inside the database transaction: create 4 (key, find, insert, answer), update at most 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import AlreadyExists, FieldError, InvalidInput
from gateway.ids import new_id
from gateway.members import store
from gateway.members.authority import require_authority
from gateway.members.linking import add_identifiers
from gateway.members.model import (
    DISPLAY_NAME_LENGTH_MAX,
    IDENTIFIERS_PER_CALL_MAX,
    Identifier,
    NewMember,
)
from gateway.members.racing import IdentifierRaced, run_once_despite_races
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.storage.database import Connection, Database
from gateway.text import check_text


@dataclass(frozen=True, slots=True)
class UpsertMember:
    """Who the member is. A display name of None leaves the stored one alone."""

    request_id: str
    identifiers: tuple[Identifier, ...]
    display_name: str | None = None


@dataclass(frozen=True, slots=True)
class UpsertedMember:
    """The member who has the identifiers now; `was_created` tells about the first run of the key."""

    member_id: UUID
    was_created: bool
    idempotent_replay: bool


async def upsert_member(
    database: Database, caller: Caller, command: UpsertMember
) -> UpsertedMember:
    """Create a member with these identifiers, or give the missing ones to the member who has some of them.

    A member whom another organization made is answered as they are, if that is what the command says.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: the command breaks a rule.
        AlreadyExists: the identifiers belong to two members; the path names one of the second.
        OutOfReach: another organization made the member, and the command would change them; the path says what.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.MEMBERS)
    if errors := check_command(command):
        raise InvalidInput(errors)
    request = Request(
        OperationKind.UPSERT_MEMBER,
        command.request_id,
        {
            "identifiers": [[*identifier] for identifier in command.identifiers],
            "displayName": command.display_name,
        },
        new_id(),
    )
    member_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, object]:
        return await _upsert(connection, caller, command, member_id, operation)

    answer = await run_once_despite_races(database, caller, request, work)
    value = answer.value
    return UpsertedMember(UUID(value["member_id"]), value["was_created"], answer.idempotent_replay)


def check_command(command: UpsertMember) -> list[FieldError]:
    """Return every rule that the command breaks."""
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_text(command.display_name, ("input", "displayName"), DISPLAY_NAME_LENGTH_MAX)
    if not 1 <= len(command.identifiers) <= IDENTIFIERS_PER_CALL_MAX:
        message = f"identifiers must be 1 to {IDENTIFIERS_PER_CALL_MAX} identifiers."
        errors.append(FieldError(("input", "identifiers"), "count", message))
    return errors


async def _upsert(
    connection: Connection,
    caller: Caller,
    command: UpsertMember,
    new_member_id: UUID,
    operation: Operation,
) -> dict[str, object]:
    tenant_id = caller.tenant_id
    owners = await store.find_members(connection, tenant_id, command.identifiers)
    owner = _choose_owner(owners)
    if owner is None:
        member = NewMember(new_member_id, tuple(set(command.identifiers)), command.display_name)
        scope = (tenant_id, caller.organization_id)
        if await store.insert_members(connection, *scope, [member], operation.at):
            raise IdentifierRaced
        return {"member_id": str(new_member_id), "was_created": True}
    missing = [
        identifier
        for identifier, found in zip(command.identifiers, owners, strict=True)
        if found is None
    ]
    stored = await store.lock_member(connection, tenant_id, owner)
    if missing:
        path = ("input", "identifiers")
        await add_identifiers(connection, caller, stored, missing, operation.at, path)
    if command.display_name not in {None, stored.display_name}:
        require_authority(caller, stored, ("input", "displayName"))
        await store.update_display_name(connection, tenant_id, owner, command.display_name)
    return {"member_id": str(owner), "was_created": False}


def _choose_owner(owners: Sequence[UUID | None]) -> UUID | None:
    known = [owner for owner in owners if owner is not None]
    for index, owner in enumerate(owners):
        if owner is not None and owner != known[0]:
            message = "This identifier belongs to another member than those before it."
            raise AlreadyExists(message, ("input", "identifiers", str(index)))
    return known[0] if known else None
