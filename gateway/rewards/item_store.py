"""Products, competitions and code pools in the database. Each function is one round trip unless it says otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from gateway.ledger.assets import AssetKind
from gateway.ledger.model import OwnerKind
from gateway.rewards.items import CodePool, Competition, Item, ItemKey, Product
from gateway.storage import tables
from gateway.storage.count_store import count_up_to_max
from gateway.storage.database import Connection, run
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds

ItemType = TypeVar("ItemType", bound=Item)


@dataclass(frozen=True, slots=True)
class _Statements:
    """The texts that differ only in the table they read."""

    fetch: str
    page_forwards: str
    page_backwards: str
    count: str


def _statements(table: str) -> _Statements:
    # The table's name is one of ours; every value is a parameter.
    rows = f"SELECT id, organization_id, name, created_at FROM {table} WHERE tenant_id = $1"
    count = count_up_to_max(f"{table} WHERE tenant_id = $1 AND organization_id = $2")
    page = f"{rows} AND organization_id = $2 AND id < $3 AND id > $4"
    return _Statements(
        fetch=f"{rows} AND (organization_id, id) IN (SELECT * FROM unnest($2::uuid[], $3::uuid[]))",
        page_forwards=f"{page} ORDER BY id DESC LIMIT $5",
        page_backwards=f"{page} ORDER BY id LIMIT $5",
        count=count,
    )


_STATEMENTS: Mapping[type[Item], _Statements] = {
    Product: _statements("products"),
    Competition: _statements("competitions"),
    CodePool: _statements("code_pools"),
}

STOCK = """
SELECT owner_id, posted_minor - held_minor AS available FROM accounts
WHERE tenant_id = $1 AND owner_kind = $2 AND owner_id = ANY($3::uuid[]) AND asset_id = owner_id
"""


async def insert_product(connection: Connection, tenant_id: UUID, product: Product) -> None:
    """Write a product and the asset that counts its units. Round trips: two."""
    await _insert_asset(connection, tenant_id, product, AssetKind.PRODUCT)
    await run(connection, tables.Product.insert(tables.Product(**_row(tenant_id, product))))


async def insert_competition(
    connection: Connection, tenant_id: UUID, competition: Competition
) -> None:
    """Write a competition and the asset that counts its entries. Round trips: two."""
    await _insert_asset(connection, tenant_id, competition, AssetKind.COMPETITION)
    row = tables.Competition(**_row(tenant_id, competition))
    await run(connection, tables.Competition.insert(row))


async def insert_code_pool(connection: Connection, tenant_id: UUID, pool: CodePool) -> None:
    """Write a pool without codes."""
    await run(connection, tables.CodePool.insert(tables.CodePool(**_row(tenant_id, pool))))


async def fetch_items(
    connection: Connection, tenant_id: UUID, item_type: type[ItemType], keys: Sequence[ItemKey]
) -> dict[ItemKey, ItemType]:
    """Return the products, competitions or pools of these keys that exist, by key."""
    rows = await connection.fetch(
        _STATEMENTS[item_type].fetch,
        tenant_id,
        [key.organization_id for key in keys],
        [key.id for key in keys],
    )
    items = [item_type(**row) for row in rows]
    return {item.key: item for item in items}


async def fetch_item_page(
    connection: Connection,
    tenant_id: UUID,
    organization_id: UUID,
    item_type: type[ItemType],
    request: PageRequest[UUID],
) -> Page[ItemType]:
    """Return a page of an organization's products, competitions or pools, newest first."""
    statements = _STATEMENTS[item_type]
    rows = await connection.fetch(
        statements.page_backwards if request.backwards else statements.page_forwards,
        tenant_id,
        organization_id,
        *id_bounds(request),
        request.fetch_limit,
    )
    return cut_page(request, [item_type(**row) for row in rows])


async def count_items(
    connection: Connection, tenant_id: UUID, organization_id: UUID, item_type: type[Item]
) -> int:
    """Return how many products, competitions or pools an organization has."""
    statement = _STATEMENTS[item_type].count
    count: int = await connection.fetchval(statement, tenant_id, organization_id)
    return count


async def fetch_stock(
    connection: Connection, tenant_id: UUID, product_ids: Sequence[UUID]
) -> dict[UUID, int]:
    """Return the units left to give of each product; every id asked for has a number."""
    rows = await connection.fetch(STOCK, tenant_id, OwnerKind.STOCK, product_ids)
    stock = dict.fromkeys(product_ids, 0)
    return stock | {row["owner_id"]: row["available"] for row in rows}


async def _insert_asset(
    connection: Connection, tenant_id: UUID, item: Item, kind: AssetKind
) -> None:
    asset = tables.Asset(
        tenant_id=tenant_id,
        id=item.id,
        # Unique without asking anybody, and outside of the codes that callers may choose.
        code=f"{kind.value}:{item.id}",
        name=item.name,
        kind=kind.value,
        scale=0,
        created_at=item.created_at,
        organization_id=item.organization_id,
    )
    await run(connection, tables.Asset.insert(asset))


def _row(tenant_id: UUID, item: Item) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "id": item.id,
        "organization_id": item.organization_id,
        "name": item.name,
        "created_at": item.created_at,
    }
