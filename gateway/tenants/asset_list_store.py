"""The list of a tenant's assets, newest first, page by page. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.ledger.assets import Asset, AssetKind
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds

_PAGE = """
SELECT id, code, name, kind, scale, expires_after_days FROM assets
WHERE tenant_id = $1 AND kind = ANY($2::text[]) AND id < $3 AND id > $4
"""
PAGE = f"{_PAGE} ORDER BY tenant_id DESC, id DESC LIMIT $5"
PAGE_BACKWARDS = f"{_PAGE} ORDER BY tenant_id, id LIMIT $5"

COUNT = "SELECT count(*) FROM assets WHERE tenant_id = $1 AND kind = ANY($2::text[])"


async def fetch_asset_page(
    connection: Connection,
    tenant_id: UUID,
    kinds: Sequence[AssetKind],
    request: PageRequest[UUID],
) -> Page[Asset]:
    """Return a page of the tenant's assets of these kinds."""
    statement = PAGE_BACKWARDS if request.backwards else PAGE
    rows = await connection.fetch(
        statement, tenant_id, list(kinds), *id_bounds(request), request.fetch_limit
    )
    assets = [
        Asset(asset_id, code, name, AssetKind(kind), scale, expires_after_days)
        for asset_id, code, name, kind, scale, expires_after_days in rows
    ]
    return cut_page(request, assets)


async def count_assets(connection: Connection, tenant_id: UUID, kinds: Sequence[AssetKind]) -> int:
    """Return how many assets of these kinds the tenant has."""
    count: int = await connection.fetchval(COUNT, tenant_id, list(kinds))
    return count
