"""A member marks messages as read (ON3-5).

Round trips: claim the key, find the messages (none for all of them), mark them, store the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, Forbidden, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.notifying import store
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database

IDS_MAX = 100


@dataclass(frozen=True, slots=True)
class MarkReadCommand:
    """Messages that the caller's member has read; `notification_ids` None stands for all there are.

    An id of None stands for one that can name no notification.
    """

    request_id: str
    notification_ids: Sequence[UUID | None] | None


@dataclass(frozen=True, slots=True)
class MarkReadOutcome:
    """How many messages were unread before."""

    marked_count: int
    idempotent_replay: bool


def check_command(command: MarkReadCommand) -> list[FieldError]:
    """Return every broken rule of form."""
    errors = check_key(command.request_id, ("input", "requestId"))
    ids = command.notification_ids
    if ids is not None and not 1 <= len(ids) <= IDS_MAX:
        message = f"ids must have 1 to {IDS_MAX} ids; it has {len(ids)}."
        errors.append(FieldError(("input", "notifications", "ids"), "count", message))
    return errors


async def mark_notifications_read(
    database: Database, caller: Caller, command: MarkReadCommand
) -> MarkReadOutcome:
    """Mark messages of the caller's own member as read; those that were read before keep their time.

    Raises:
        Forbidden: the credential is not a member's.
        InvalidInput: the command breaks rules; all are listed.
        NotFound: an id is of no message of the member; nothing was marked.
        IdempotencyConflict: the request id was used for other messages.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.MEMBER)
    member_id = caller.member_id
    if member_id is None:
        raise Forbidden("Only a member's own token can read their messages.")
    if errors := check_command(command):
        raise InvalidInput(errors)
    given = command.notification_ids

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        ids = None if given is None else await _find(connection, caller, member_id, given)
        count = await store.mark_read(connection, caller.tenant_id, member_id, ids, operation.at)
        return {"marked_count": count}

    ids = None if given is None else [str(id) for id in given]
    fields = {"notificationIds": ids}
    kind = OperationKind.MARK_NOTIFICATIONS_READ
    request = Request(kind, command.request_id, fields, new_id())
    answer = await run_once(database, caller, request, work)
    return MarkReadOutcome(answer.value["marked_count"], answer.idempotent_replay)


async def _find(
    connection: Connection, caller: Caller, member_id: UUID, given: Sequence[UUID | None]
) -> list[UUID]:
    wanted = [id for id in given if id is not None]
    owned = await store.fetch_owned(connection, caller.tenant_id, member_id, wanted)
    for index, id in enumerate(given):
        if id not in owned:
            path = ("input", "notifications", "ids", str(index))
            raise NotFound("The member has no such notification.", path)
    return wanted
