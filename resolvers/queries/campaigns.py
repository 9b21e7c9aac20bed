"""`campaign` and `campaigns` (MON-12, MON-13)."""

from __future__ import annotations

from typing import Annotated

import strawberry

from gateway.access import Scope
from gateway.campaigns.model import CampaignStatus
from gateway.campaigns.store import count_campaigns, fetch_campaign_page
from gateway.ids import IdKind, decode_id
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
from resolvers.types.campaign import Campaign, load_campaign_nodes, to_campaign

CAMPAIGN_CURSOR = id_cursor(b"m")


@query(
    "Fetch one campaign; null if it is unknown or another organization's.",
    requires=[Scope.READ, Scope.CATALOG],
)
async def campaign(
    info: Info,
    id: Annotated[strawberry.ID, strawberry.argument(description="The campaign: `camp_…`.")],
) -> Campaign | None:
    """Look one campaign up."""
    campaign_id = decode_id(IdKind.CAMPAIGN, id)
    if campaign_id is None:
        return None
    (found,) = await load_campaign_nodes(info.context, [campaign_id])
    return found


@query("List the organization's campaigns, newest first.", requires=[Scope.READ, Scope.CATALOG])
async def campaigns(
    info: Info,
    status: Annotated[
        list[CampaignStatus] | None,
        strawberry.argument(description="In any of these states; all if left out."),
    ] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> Connection[Campaign]:
    """Read one page."""
    caller = info.context.caller
    request = read_page_request(CAMPAIGN_CURSOR, first, after, last, before)
    scope = (caller.tenant_id, caller.organization_id, status)
    async with info.context.database.connection() as connection:
        page = await fetch_campaign_page(connection, *scope, request)
    info.context.spend_rows(len(page.items))

    async def count() -> int:
        async with info.context.database.connection() as connection:
            return await count_campaigns(connection, *scope)

    return to_connection(page, to_campaign, lambda record: CAMPAIGN_CURSOR.encode(record.id), count)
