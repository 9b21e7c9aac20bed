"""The list of assets that an organization can see, newest first, page by page. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.access import Caller
from gateway.ledger.asset_scope_store import NO_SCOPE, seen
from gateway.ledger.assets import Asset, AssetKind
from gateway.storage.count_store import count_up_to_max
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds
from gateway.tenants.asset_rights import asset_scope_of
from gateway.tenants.store import ASSET_COLUMNS, to_asset

_VISIBLE = f"tenant_id = $1 AND kind = ANY($2::text[]) AND {seen('assets.id', 3)}"
_PAGE = f"SELECT {ASSET_COLUMNS} FROM assets WHERE {_VISIBLE} AND id < $5 AND id > $6"
PAGE = f"{_PAGE} ORDER BY tenant_id DESC, id DESC LIMIT $7"
PAGE_BACKWARDS = f"{_PAGE} ORDER BY tenant_id, id LIMIT $7"

COUNT = count_up_to_max(f"assets WHERE {_VISIBLE}")


async def fetch_asset_page(
    connection: Connection,
    caller: Caller,
    kinds: Sequence[AssetKind],
    request: PageRequest[UUID],
) -> Page[Asset]:
    """Return a page of the assets of these kinds that a partner can see."""
    statement = PAGE_BACKWARDS if request.backwards else PAGE
    filtered = (caller.tenant_id, list(kinds), *(asset_scope_of(caller) or NO_SCOPE))
    rows = await connection.fetch(statement, *filtered, *id_bounds(request), request.fetch_limit)
    return cut_page(request, [to_asset(row) for row in rows])


async def count_assets(connection: Connection, caller: Caller, kinds: Sequence[AssetKind]) -> int:
    """Return how many assets of these kinds a partner can see."""
    filtered = (caller.tenant_id, list(kinds), *(asset_scope_of(caller) or NO_SCOPE))
    count: int = await connection.fetchval(COUNT, *filtered)
    return count
