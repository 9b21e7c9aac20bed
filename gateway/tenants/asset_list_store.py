"""The list of assets that an organization can see, newest first, page by page. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.access import Caller
from gateway.ledger.assets import Asset, AssetKind
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds
from gateway.tenants.store import ASSET_COLUMNS, to_asset

# The tenant's, those of the organization and of the ones that it reaches, and those that name it as an issuer.
_VISIBLE = """
tenant_id = $1 AND kind = ANY($2::text[]) AND (organization_id IS NULL OR organization_id = ANY($3::uuid[])
    OR EXISTS (SELECT FROM asset_issuers AS issuers
        WHERE issuers.tenant_id = $1 AND issuers.organization_id = $4 AND issuers.asset_id = assets.id))
"""
_PAGE = f"SELECT {ASSET_COLUMNS} FROM assets WHERE {_VISIBLE} AND id < $5 AND id > $6"
PAGE = f"{_PAGE} ORDER BY tenant_id DESC, id DESC LIMIT $7"
PAGE_BACKWARDS = f"{_PAGE} ORDER BY tenant_id, id LIMIT $7"

COUNT = f"SELECT count(*) FROM assets WHERE {_VISIBLE}"


async def fetch_asset_page(
    connection: Connection,
    caller: Caller,
    kinds: Sequence[AssetKind],
    request: PageRequest[UUID],
) -> Page[Asset]:
    """Return a page of the assets of these kinds that a partner can see."""
    statement = PAGE_BACKWARDS if request.backwards else PAGE
    scope = _scope(caller, kinds)
    rows = await connection.fetch(statement, *scope, *id_bounds(request), request.fetch_limit)
    return cut_page(request, [to_asset(row) for row in rows])


async def count_assets(connection: Connection, caller: Caller, kinds: Sequence[AssetKind]) -> int:
    """Return how many assets of these kinds a partner can see."""
    count: int = await connection.fetchval(COUNT, *_scope(caller, kinds))
    return count


def _scope(
    caller: Caller, kinds: Sequence[AssetKind]
) -> tuple[UUID, list[AssetKind], list[UUID], UUID]:
    """Return the parameters $1 to $4."""
    owner_ids = sorted(caller.organization_ids)
    return caller.tenant_id, list(kinds), owner_ids, caller.organization_id
