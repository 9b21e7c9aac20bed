"""Messages to a member about grants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import strawberry

from gateway.grants import notification_store as store
from gateway.ids import IdKind, encode_id
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest
from resolvers.context import Context, Info
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.pages import Connection as PageConnection
from resolvers.pages import id_cursor, to_connection
from resolvers.types.grant import Grant, to_grant

NOTIFICATION_CURSOR = id_cursor(b"n")


@strawberry.type(description="A message to a member about a grant.")
class Notification(Node):
    """A text and the grant it is about."""

    notification: strawberry.Private[store.Notification]

    @resolved("The message, with the amount.")
    def text(self) -> str:
        """Return what was sent."""
        return self.notification.text

    @resolved("When it was sent.")
    def created_at(self) -> datetime:
        """Return when."""
        return self.notification.created_at

    @resolved("When the member read it; null if they have not.")
    def read_at(self) -> datetime | None:
        """Return when."""
        return self.notification.read_at

    @resolved("The grant it is about; null if the caller may not see it.")
    async def grant(self, info: Info) -> Grant | None:
        """Load the grant."""
        record = await info.context.loaders.grants.load(self.notification.grant_id)
        return to_grant(record) if record else None


async def load_member_notifications(
    context: Context, member_id: UUID, request: PageRequest[UUID], *, only_unread: bool
) -> PageConnection[Notification]:
    """Return a page of a member's notifications; members of one list are read together."""
    loaders = context.loaders
    page = await loaders.using(_load_pages, request, only_unread).load(member_id)

    async def count() -> int:
        return await loaders.using(_load_counts, only_unread).load(member_id) or 0

    assert page is not None  # noqa: S101 - the fetcher answers every member
    context.spend_rows(len(page.items))
    return to_connection(page, to_notification, _to_cursor, count)


def _to_cursor(notification: store.Notification) -> str:
    return NOTIFICATION_CURSOR.encode(notification.id)


async def _load_pages(
    connection: Connection,
    loaders: Loaders,
    member_ids: Sequence[UUID],
    request: PageRequest[UUID],
    only_unread: bool,
) -> Mapping[UUID, Page[store.Notification]]:
    return await store.fetch_notification_pages(
        connection, loaders.caller, member_ids, request, only_unread=only_unread
    )


async def _load_counts(
    connection: Connection, loaders: Loaders, member_ids: Sequence[UUID], only_unread: bool
) -> Mapping[UUID, int]:
    return await store.count_notifications(
        connection, loaders.caller, member_ids, only_unread=only_unread
    )


async def load_notification_nodes(
    context: Context, ids: Sequence[UUID]
) -> list[Notification | None]:
    """Return the notifications that the caller may see, in the order of the ids; one statement."""
    async with context.database.connection() as connection:
        found = await store.fetch_notifications(connection, context.caller, ids)
    return [to_notification(found[id]) if id in found else None for id in ids]


def to_notification(notification: store.Notification) -> Notification:
    """Return a notification as its GraphQL type."""
    return Notification(
        id=strawberry.ID(encode_id(IdKind.NOTIFICATION, notification.id)), notification=notification
    )
