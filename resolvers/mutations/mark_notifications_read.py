"""markNotificationsRead: a member has read messages (ON3-5)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError as DomainFieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.ids import IdKind, decode_id
from gateway.notifying import mark_read
from gateway.notifying.mark_read import MarkReadCommand
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation


@strawberry.input(one_of=True, description="Which messages: exactly one of the fields.")
class NotificationSelection:
    """Some messages, or all."""

    ids: list[strawberry.ID] | None = strawberry.field(
        default=strawberry.UNSET, description="1 to 100 messages: `ntf_…`."
    )
    all: bool | None = strawberry.field(
        default=strawberry.UNSET, description="True: every message there is at this moment."
    )


@strawberry.input(description="Messages that the member has read.")
class MarkNotificationsReadInput:
    """The call's key and its messages."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per member for ever."
    )
    notifications: NotificationSelection = strawberry.field(description="Which messages.")


@strawberry.type(description="The messages are marked.")
class MarkNotificationsReadPayload:
    """How many were unread."""

    marked_count: int = strawberry.field(
        description="How many of them were unread before; the others keep the time they were read at."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


MarkNotificationsReadResult: TypeAlias = Annotated[
    MarkNotificationsReadPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("MarkNotificationsReadResult", description="What became of the marking."),
]


@mutation("Mark messages as read. For a member's own token.", requires=[Scope.MEMBER])
async def mark_notifications_read(
    info: Info,
    input: Annotated[
        MarkNotificationsReadInput, strawberry.argument(description="Which messages were read.")
    ],
) -> MarkNotificationsReadResult:
    """Turn the input into one command and its outcome into a payload."""
    ids = input.notifications.ids or None
    command = MarkReadCommand(
        request_id=input.request_id,
        notification_ids=None
        if input.notifications.all
        else [decode_id(IdKind.NOTIFICATION, id) for id in ids or []],
    )
    if input.notifications.all is False:
        path = ("input", "notifications", "all")
        message = "all must be true; to mark some, give ids."
        raise DomainInvalidInput([DomainFieldError(path, "true", message)])
    context = info.context
    outcome = await mark_read.mark_notifications_read(context.database, context.caller, command)
    return MarkNotificationsReadPayload(
        marked_count=outcome.marked_count, idempotent_replay=outcome.idempotent_replay
    )
