"""Tenants, organizations and assets in the database. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from gateway.access import StandardAssets
from gateway.ledger.assets import Asset, AssetKind
from gateway.storage import tables
from gateway.storage.database import Connection, column, run
from gateway.tenants.model import Organization, Tenant

INSERT_ASSETS = """
INSERT INTO assets (tenant_id, id, code, name, kind, scale, created_at, expires_after_days, organization_id)
SELECT $1, id, code, name, kind, scale, $7, expires_after_days, organization_id
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::smallint[], $8::integer[], $9::uuid[])
    AS given (id, code, name, kind, scale, expires_after_days, organization_id)
ON CONFLICT DO NOTHING
RETURNING id
"""

ASSET_COLUMNS = "id, code, name, kind, scale, expires_after_days, organization_id"

FETCH_ASSETS = f"SELECT {ASSET_COLUMNS} FROM assets WHERE tenant_id = $1 ORDER BY id"

FETCH_ASSETS_BY_ID = f"""
SELECT {ASSET_COLUMNS} FROM assets WHERE tenant_id = $1 AND id = ANY($2::uuid[])
"""

FETCH_ASSETS_BY_CODE = f"""
SELECT {ASSET_COLUMNS} FROM assets WHERE tenant_id = $1 AND code = ANY($2::text[])
"""


async def insert_tenant(connection: Connection, tenant: Tenant, at: datetime) -> None:
    """Insert a tenant."""
    row = tables.Tenant(
        id=tenant.id,
        name=tenant.name,
        points_asset_id=tenant.standard_assets.points_id,
        experience_asset_id=tenant.standard_assets.experience_id,
        cash_asset_id=tenant.standard_assets.cash_id,
        created_at=at,
        is_test=tenant.is_test,
    )
    await run(connection, tables.Tenant.insert(row))


async def fetch_tenant(connection: Connection, tenant_id: UUID) -> Tenant | None:
    """Return the tenant, or None if there is none."""
    rows = await run(connection, tables.Tenant.select().where(tables.Tenant.id == tenant_id))
    for row in rows:
        assets = (row["points_asset_id"], row["experience_asset_id"], row["cash_asset_id"])
        return Tenant(tenant_id, row["name"], StandardAssets(*assets), row["is_test"])
    return None


async def insert_organization(
    connection: Connection, tenant_id: UUID, organization: Organization, at: datetime
) -> None:
    """Insert an organization of a tenant."""
    row = tables.Organization(
        tenant_id=tenant_id,
        id=organization.id,
        name=organization.name,
        created_at=at,
        parent_id=organization.parent_id,
    )
    await run(connection, tables.Organization.insert(row))


async def fetch_organizations(connection: Connection, tenant_id: UUID) -> dict[UUID, Organization]:
    """Return every organization of the tenant, by id, oldest first."""
    table = tables.Organization
    query = table.select(table.id, table.name, table.parent_id).where(table.tenant_id == tenant_id)
    rows = await run(connection, query.order_by(table.id))
    return {row["id"]: Organization(**row) for row in rows}


async def insert_assets(
    connection: Connection, tenant_id: UUID, assets: Sequence[Asset], at: datetime
) -> set[UUID]:
    """Insert assets and return the ids of those inserted; one whose id or code is taken is left out."""
    rows = await connection.fetch(
        INSERT_ASSETS,
        tenant_id,
        column(assets, "id"),
        column(assets, "code"),
        column(assets, "name"),
        column(assets, "kind"),
        column(assets, "scale"),
        at,
        column(assets, "expires_after_days"),
        column(assets, "organization_id"),
    )
    return {row["id"] for row in rows}


async def fetch_assets(connection: Connection, tenant_id: UUID) -> dict[UUID, Asset]:
    """Return every asset of the tenant, by id, oldest first."""
    return _by_id(await connection.fetch(FETCH_ASSETS, tenant_id))


async def fetch_assets_by_id(
    connection: Connection, tenant_id: UUID, asset_ids: Sequence[UUID]
) -> dict[UUID, Asset]:
    """Return the assets of these ids that exist, by id."""
    return _by_id(await connection.fetch(FETCH_ASSETS_BY_ID, tenant_id, asset_ids))


async def fetch_assets_by_code(
    connection: Connection, tenant_id: UUID, codes: Sequence[str]
) -> dict[str, Asset]:
    """Return the assets of these codes that exist, by code."""
    assets = map(to_asset, await connection.fetch(FETCH_ASSETS_BY_CODE, tenant_id, codes))
    return {asset.code: asset for asset in assets}


def to_asset(row: asyncpg.Record) -> Asset:
    """Return the asset of a row with `ASSET_COLUMNS`."""
    return Asset(**{**row, "kind": AssetKind(row["kind"])})


def _by_id(rows: Sequence[asyncpg.Record]) -> dict[UUID, Asset]:
    return {row["id"]: to_asset(row) for row in rows}
