"""Use case: say which cards, or which labels, a member has.

Round trips inside the database transaction: claim the key, find the member, lock it, replace, store the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import AlreadyExists, FieldError, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.members.authority import require_authority
from gateway.members.model import MemberReference
from gateway.members.standing.model import LINKS_MAX, NAME_LENGTH_MAX, Link, StandingKind
from gateway.members.standing.store import replace_links
from gateway.members.store import find_members, lock_member
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.text import check_text

# By kind: the operation, and the GraphQL names of the list and of what names its entries.
_NAMES = {
    StandingKind.CARD: (OperationKind.SET_MEMBER_CARDS, "cards", "number"),
    StandingKind.LABEL: (OperationKind.SET_MEMBER_LABELS, "labels", "name"),
}


@dataclass(frozen=True, slots=True)
class SetStanding:
    """All cards, or all labels, that the member has from now on."""

    request_id: str
    kind: StandingKind
    member: MemberReference
    links: Sequence[Link]


@dataclass(frozen=True, slots=True)
class StandingOutcome:
    """The member whose cards or labels were set."""

    member_id: UUID
    idempotent_replay: bool


async def set_standing(database: Database, caller: Caller, command: SetStanding) -> StandingOutcome:
    """Replace a member's cards or labels; an empty list takes all of them away.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        NotFound: the reference names no member.
        OutOfReach: another organization made the member.
        AlreadyExists: a card is another member's.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.MEMBERS)
    if errors := check_command(command):
        raise InvalidInput(errors)
    operation_kind, list_name, name = _NAMES[command.kind]
    given = {"member": [*command.member], list_name: [[*link] for link in command.links]}
    request = Request(operation_kind, command.request_id, given, new_id())

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        tenant_id = caller.tenant_id
        (member_id,) = await find_members(connection, tenant_id, [command.member])
        if member_id is None:
            raise NotFound("No such member.", ("input", "member"))
        member = await lock_member(connection, tenant_id, member_id)
        require_authority(caller, member, ("input", "member"))
        taken = await replace_links(
            connection, tenant_id, command.kind, member_id, command.links, operation.at
        )
        for index, link in enumerate(command.links):
            if link.name in taken:
                path = ("input", list_name, str(index), name)
                raise AlreadyExists("This card is another member's.", path)
        return {"member_id": str(member_id)}

    answer = await run_once(database, caller, request, work)
    return StandingOutcome(UUID(answer.value["member_id"]), answer.idempotent_replay)


def check_command(command: SetStanding) -> list[FieldError]:
    """Return every rule of form that the command breaks."""
    _, list_name, name = _NAMES[command.kind]
    errors = check_key(command.request_id, ("input", "requestId"))
    path = ("input", list_name)
    if len(command.links) > LINKS_MAX:
        message = f"{list_name} must be at most {LINKS_MAX}; they are {len(command.links)}."
        return [*errors, FieldError(path, "count", message)]
    seen: set[str] = set()
    for index, link in enumerate(command.links):
        name_path = (*path, str(index), name)
        errors += check_text(link.name, name_path, NAME_LENGTH_MAX)
        if link.name in seen:
            errors.append(FieldError(name_path, "unique", f"{name} must differ from the others."))
        seen.add(link.name)
    return errors
