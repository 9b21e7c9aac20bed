"""Use case: make a group with its members.

Round trips inside the database transaction, whatever the number of members: claim the key, find the members, two writes, store
the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import AlreadyExists, FieldError, InvalidInput
from gateway.ids import new_id
from gateway.members.groups.model import (
    EXTERNAL_ID_LENGTH_MAX,
    MEMBERS_PER_CALL_MAX,
    NAME_LENGTH_MAX,
    Group,
)
from gateway.members.groups.store import fetch_groups, insert_group
from gateway.members.membership.model import MemberSet
from gateway.members.membership.store import add_members
from gateway.members.model import MemberReference
from gateway.members.store import find_members
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.text import check_text


@dataclass(frozen=True, slots=True)
class CreateGroup:
    """A new group; the primary member is one of its members, named among them or not."""

    request_id: str
    primary_member: MemberReference
    members: Sequence[MemberReference] = ()
    external_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class CreatedGroup:
    """The group that the first request with this key made."""

    group: Group
    idempotent_replay: bool


async def create_group(database: Database, caller: Caller, command: CreateGroup) -> CreatedGroup:
    """Make a group of the caller's organization; it has an account of its own, which `fundGroup` fills.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path; a reference that names no member is one.
        AlreadyExists: the external id or the primary member has a group of this organization.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.MEMBERS)
    if errors := check_command(command):
        raise InvalidInput(errors)
    given = {
        "primaryMember": [*command.primary_member],
        "members": [[*member] for member in command.members],
        "externalId": command.external_id,
        "name": command.name,
    }
    request = Request(OperationKind.CREATE_GROUP, command.request_id, given, new_id())
    group_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        await _create(connection, caller, command, group_id, operation)
        return {"id": str(group_id)}

    answer = await run_once(database, caller, request, work)
    made_id = UUID(answer.value["id"])
    async with database.connection() as connection:
        owner_ids = [caller.organization_id]
        groups = await fetch_groups(connection, caller.tenant_id, owner_ids, [made_id])
    return CreatedGroup(groups[made_id], answer.idempotent_replay)


def check_command(command: CreateGroup) -> list[FieldError]:
    """Return every rule of form that the command breaks."""
    errors = check_key(command.request_id, ("input", "requestId"))
    errors += check_text(command.external_id, ("input", "externalId"), EXTERNAL_ID_LENGTH_MAX)
    errors += check_text(command.name, ("input", "name"), NAME_LENGTH_MAX)
    if len(command.members) > MEMBERS_PER_CALL_MAX:
        message = (
            f"members must be at most {MEMBERS_PER_CALL_MAX}; they are {len(command.members)}."
        )
        errors.append(FieldError(("input", "members"), "count", message))
    return errors


async def _create(
    connection: Connection,
    caller: Caller,
    command: CreateGroup,
    group_id: UUID,
    operation: Operation,
) -> None:
    tenant_id = caller.tenant_id
    wanted = [command.primary_member, *command.members]
    found = await find_members(connection, tenant_id, wanted)
    paths: list[tuple[str, ...]] = [("input", "primaryMember")]
    paths += [("input", "members", str(index)) for index in range(len(command.members))]
    errors = [
        FieldError(path, "exists", "No such member.")
        for path, member_id in zip(paths, found, strict=True)
        if member_id is None
    ]
    member_ids = sorted({member_id for member_id in found if member_id is not None})
    primary_id = found[0]
    if errors or primary_id is None:
        raise InvalidInput(errors)
    group = Group(
        group_id,
        caller.organization_id,
        command.name,
        command.external_id,
        primary_id,
        operation.at,
    )
    if not await insert_group(connection, tenant_id, group):
        message = "The external id, or the primary member, has a group."
        raise AlreadyExists(message, ("input",))
    await add_members(connection, tenant_id, MemberSet.GROUP, group_id, member_ids, operation.at)
