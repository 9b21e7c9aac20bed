"""Holds: reserved parts of members' balances."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import strawberry

from gateway.holding import store
from gateway.holding.model import HoldRecord, HoldStatus
from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import from_minor
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest
from resolvers.context import Context, Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.pages import Connection as PageConnection
from resolvers.pages import id_cursor, to_connection
from resolvers.types.asset import Asset, to_asset

if TYPE_CHECKING:
    from resolvers.types.member import Member

HOLD_CURSOR = id_cursor(b"h")

expose_enum(
    HoldStatus,
    "Where a hold stands; it ends once.",
    {
        "OPEN": "Its amount is reserved.",
        "CAPTURED": "Its amount, or a part of it, was taken; the rest is available again.",
        "RELEASED": "It was set free.",
        "EXPIRED": "Its time was over before anybody ended it.",
    },
)


@strawberry.type(description="A reserved part of a member's balance; it ends once.")
class Hold(Node):
    """A reservation that a partner placed."""

    record: strawberry.Private[HoldRecord]

    asset: Asset = strawberry.field(description="What is reserved.")
    amount: Decimal = strawberry.field(description="How much.")
    status: HoldStatus = strawberry.field(description="Where it stands.")
    captured: Decimal | None = strawberry.field(
        description="How much of it was taken; null if it was not captured."
    )
    created_at: datetime = strawberry.field(description="When it was placed.")
    expires_at: datetime = strawberry.field(description="When it ends by itself.")
    ended_at: datetime | None = strawberry.field(
        description="When it ended; null if its amount is still reserved."
    )
    transaction_id: strawberry.ID | None = strawberry.field(
        description="The ledger transaction that captured it; null if it was not."
    )

    @resolved("Why it was placed, for the partner who did. Null for members.")
    def reason(self) -> str | None:
        """Return what the record has."""
        return self.record.reason

    @resolved("Whose balance it is on.")
    def member(
        self, info: Info
    ) -> Annotated[Member, strawberry.lazy("resolvers.types.member")] | None:
        """Name the member; nothing is read until a field other than the id is asked for."""
        # Members have holds and holds have members: one of the two has to look the other up late.
        from resolvers.types.member import to_member  # noqa: PLC0415 - see above

        return to_member(info.context, self.record.member_id)


def to_hold(record: HoldRecord, loaders: Loaders) -> Hold:
    """Return a hold as its GraphQL type; the loaders know its asset."""
    asset, captured = loaders.assets[record.asset_id], record.captured_minor
    transaction_id = record.transaction_id
    return Hold(
        id=strawberry.ID(encode_id(IdKind.HOLD, record.id)),
        record=record,
        asset=to_asset(asset),
        amount=from_minor(record.amount_minor, asset.scale),
        status=record.status,
        captured=None if captured is None else from_minor(captured, asset.scale),
        created_at=record.created_at,
        expires_at=record.expires_at,
        ended_at=record.ended_at,
        transaction_id=strawberry.ID(encode_id(IdKind.TRANSACTION, transaction_id))
        if transaction_id
        else None,
    )


async def present_hold(context: Context, record: HoldRecord) -> Hold:
    """Return a hold as its GraphQL type, with its asset looked up."""
    async with context.database.connection() as connection:
        await _learn_assets(connection, context.loaders, [record])
    return to_hold(record, context.loaders)


async def load_member_holds(
    context: Context, member_id: UUID, statuses: store.Statuses, request: PageRequest[UUID]
) -> PageConnection[Hold]:
    """Return a page of a member's holds; members of one list are read together."""
    loaders = context.loaders
    page = await loaders.using(_load_pages, statuses, request).load(member_id)

    async def count() -> int:
        return await loaders.using(_load_counts, statuses).load(member_id) or 0

    assert page is not None  # noqa: S101 - the fetcher answers every member
    context.spend_rows(len(page.items))
    return to_connection(page, lambda record: to_hold(record, loaders), _to_cursor, count)


async def load_hold_nodes(context: Context, ids: Sequence[UUID]) -> list[Hold | None]:
    """Return the holds that the caller may see, in the order of the ids; one statement."""
    async with context.database.connection() as connection:
        found = await store.fetch_holds(connection, context.caller, ids)
        await _learn_assets(connection, context.loaders, found.values())
    return [to_hold(found[id], context.loaders) if id in found else None for id in ids]


def _to_cursor(record: HoldRecord) -> str:
    return HOLD_CURSOR.encode(record.id)


async def _load_pages(
    connection: Connection,
    loaders: Loaders,
    member_ids: Sequence[UUID],
    statuses: store.Statuses,
    request: PageRequest[UUID],
) -> Mapping[UUID, Page[HoldRecord]]:
    pages = await store.fetch_hold_pages(connection, loaders.caller, member_ids, statuses, request)
    await _learn_assets(connection, loaders, (r for page in pages.values() for r in page.items))
    return pages


async def _load_counts(
    connection: Connection,
    loaders: Loaders,
    member_ids: Sequence[UUID],
    statuses: store.Statuses,
) -> Mapping[UUID, int]:
    return await store.count_holds(connection, loaders.caller, member_ids, statuses)


async def _learn_assets(
    connection: Connection, loaders: Loaders, records: Iterable[HoldRecord]
) -> None:
    await loaders.learn_assets(connection, {record.asset_id for record in records})
