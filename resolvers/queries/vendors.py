"""`vendors`: who sells vouchers to the organization (CAP-5)."""

from __future__ import annotations

from gateway.access import Scope
from gateway.vendors.store import count_vendors, fetch_vendor_page
from resolvers.context import Info
from resolvers.fields import query
from resolvers.pages import (
    After,
    Before,
    Connection,
    First,
    Last,
    id_cursor,
    read_page_request,
    to_connection,
)
from resolvers.types.vendor import Vendor, to_vendor

VENDOR_CURSOR = id_cursor(b"v")


@query("List the organization's vendors, newest first.", requires=[Scope.READ, Scope.CATALOG])
async def vendors(
    info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
) -> Connection[Vendor]:
    """Read one page."""
    context = info.context
    caller = context.caller
    request = read_page_request(VENDOR_CURSOR, first, after, last, before)
    scope = (caller.tenant_id, caller.organization_id)
    async with context.database.connection() as connection:
        page = await fetch_vendor_page(connection, *scope, request)
    context.spend_rows(len(page.items))

    async def count() -> int:
        async with context.database.connection() as connection:
            return await count_vendors(connection, *scope)

    return to_connection(page, to_vendor, lambda vendor: VENDOR_CURSOR.encode(vendor.id), count)
