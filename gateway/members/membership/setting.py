"""Use case: change who is in a group or a segment.

Round trips inside the database transaction, whatever the number of members: claim the key, lock the set, look for unknown
members, one or two writes, store the answer.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound, OutOfReach
from gateway.ids import new_id
from gateway.members.membership import store
from gateway.members.membership.model import (
    ERRORS_SHOWN_MAX,
    MEMBERS_PER_CALL_MAX,
    MemberSet,
    MembershipChange,
    MembersOutcome,
    SetMembers,
)
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database

PATH = ("input", "memberIds")
# By kind: the operation, and the GraphQL name of the set's id.
_NAMES = {
    MemberSet.GROUP: (OperationKind.SET_GROUP_MEMBERS, "groupId"),
    MemberSet.SEGMENT: (OperationKind.SET_SEGMENT_MEMBERS, "segmentId"),
}


async def set_members(database: Database, caller: Caller, command: SetMembers) -> MembersOutcome:
    """Add, remove or replace members, all or none.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path; ids that are no member's are broken rules.
        NotFound: the caller sees no such group or segment.
        OutOfReach: it sees the group, which is another organization's.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.MEMBERS)
    if errors := _check(command):
        raise InvalidInput(errors)
    operation_kind, id_name = _NAMES[command.kind]
    given = {
        id_name: command.set_id,
        "change": command.change,
        "memberIds": list(command.member_ids),
    }
    request = Request(operation_kind, command.request_id, given, new_id())

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        added, removed = await _change(connection, caller, command, operation)
        return {"added": added, "removed": removed}

    answer = await run_once(database, caller, request, work)
    value = answer.value
    assert command.set_id is not None  # noqa: S101 - what has no id was not found
    return MembersOutcome(
        command.set_id, value["added"], value["removed"], answer.idempotent_replay
    )


async def _change(
    connection: Connection, caller: Caller, command: SetMembers, operation: Operation
) -> tuple[int, int]:
    set_id, primary_id = await _lock(connection, caller, command)
    member_ids = [member_id for member_id in command.member_ids if member_id is not None]
    unknown = await store.find_unknown_members(connection, caller.tenant_id, member_ids)
    _refuse(command, unknown)
    scope = (caller.tenant_id, command.kind, set_id)
    if command.change is MembershipChange.REMOVE:
        if primary_id in member_ids:
            message = "The primary member stays in the group."
            index = command.member_ids.index(primary_id)
            raise InvalidInput([FieldError((*PATH, str(index)), "primary", message)])
        return 0, await store.remove_members(connection, *scope, member_ids)
    removed = 0
    if command.change is MembershipChange.SET:
        kept = member_ids if primary_id is None else [*member_ids, primary_id]
        removed = await store.keep_members(connection, *scope, kept)
    return await store.add_members(connection, *scope, member_ids, operation.at), removed


async def _lock(
    connection: Connection, caller: Caller, command: SetMembers
) -> tuple[UUID, UUID | None]:
    _, id_name = _NAMES[command.kind]
    noun, path = command.kind.value.lower(), ("input", id_name)
    if command.set_id is not None:
        # A group can be seen by who may pay from it, a segment by its owner only.
        is_group = command.kind is MemberSet.GROUP
        owner_ids = caller.organization_ids if is_group else [caller.organization_id]
        scope = (caller.tenant_id, owner_ids, command.kind)
        locked = await store.lock_set(connection, *scope, command.set_id)
        if locked is not None:
            if locked.organization_id != caller.organization_id:
                raise OutOfReach(f"Only the organization that owns the {noun} changes it.", path)
            return command.set_id, locked.primary_member_id
    raise NotFound(f"No such {noun}.", path)


def _refuse(command: SetMembers, unknown: set[UUID]) -> None:
    errors = [
        FieldError((*PATH, str(index)), "exists", "No such member.")
        for index, member_id in enumerate(command.member_ids)
        if member_id is None or member_id in unknown
    ]
    if errors:
        raise InvalidInput(errors[:ERRORS_SHOWN_MAX])


def _check(command: SetMembers) -> list[FieldError]:
    errors = check_key(command.request_id, ("input", "requestId"))
    count_min = 0 if command.change is MembershipChange.SET else 1
    if not count_min <= len(command.member_ids) <= MEMBERS_PER_CALL_MAX:
        count = len(command.member_ids)
        message = f"memberIds must be {count_min} to {MEMBERS_PER_CALL_MAX}; they are {count}."
        errors.append(FieldError(PATH, "count", message))
    return errors
