"""Pages of members' statements."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gateway.ledger.statement import EntryPlace, Period, StatementEntry
from gateway.ledger.statement_store import count_entries, fetch_entries_pages
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page
from gateway.tenants.asset_rights import load_visible_assets
from gateway.visibility import is_partner
from resolvers.context import Context
from resolvers.loaders import Loaders
from resolvers.pages import Connection as PageConnection
from resolvers.pages import CursorKind, to_connection
from resolvers.types.ledger_entry import LedgerEntry, to_ledger_entry

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# Time in microseconds since 1970, sequence, account.
_PLACE = struct.Struct(">qq16s")


def _encode_place(place: EntryPlace) -> bytes:
    microseconds = (place.occurred_at - _EPOCH) // _MICROSECOND
    return _PLACE.pack(microseconds, place.sequence, place.account_id.bytes)


def _decode_place(text: bytes) -> EntryPlace:
    try:
        microseconds, sequence, account_id = _PLACE.unpack(text)
        occurred_at = _EPOCH + timedelta(microseconds=microseconds)
    except (struct.error, OverflowError) as error:
        message = "not a place in a statement"
        raise ValueError(message) from error
    return EntryPlace(occurred_at, UUID(bytes=account_id), sequence)


ENTRY_CURSOR = CursorKind(b"e", _encode_place, _decode_place)


async def load_member_entries(
    context: Context,
    member_id: UUID,
    asset_id: UUID | None,
    request: PageRequest[EntryPlace],
    period: Period,
) -> PageConnection[LedgerEntry]:
    """Return a page of a member's statement; members of one list are read together."""
    loaders = context.loaders
    page = await loaders.using(_load_pages, asset_id, request, period).load(member_id)

    async def count() -> int:
        return await loaders.using(_load_counts, asset_id, period).load(member_id) or 0

    assert page is not None  # noqa: S101 - the fetcher answers every member
    context.spend_rows(len(page.items))
    return to_connection(page, lambda entry: to_ledger_entry(entry, loaders), _to_cursor, count)


def _to_cursor(entry: StatementEntry) -> str:
    return ENTRY_CURSOR.encode(entry.place)


async def _load_pages(
    connection: Connection,
    loaders: Loaders,
    member_ids: Sequence[UUID],
    asset_id: UUID | None,
    request: PageRequest[EntryPlace],
    period: Period,
) -> Mapping[UUID, Page[StatementEntry]]:
    caller = loaders.caller
    if asset_id is not None and is_partner(caller):
        found = await load_visible_assets(connection, caller, [asset_id])
        if asset_id not in found.assets:
            return {member_id: cut_page(request, []) for member_id in member_ids}
    pages = await fetch_entries_pages(
        connection, caller.tenant_id, member_ids, asset_id, request, period, loaders.asset_scope
    )
    await loaders.learn_assets(
        connection, (entry.asset_id for page in pages.values() for entry in page.items)
    )
    return pages


async def _load_counts(
    connection: Connection,
    loaders: Loaders,
    member_ids: Sequence[UUID],
    asset_id: UUID | None,
    period: Period,
) -> Mapping[UUID, int]:
    return await count_entries(
        connection, loaders.caller.tenant_id, member_ids, asset_id, period, loaders.asset_scope
    )
