"""Vendors in the database. Each function is one round trip. No statement here reads the header's secret back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from gateway.storage.count_store import count_up_to_max
from gateway.storage.database import Connection, to_json
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds
from gateway.vendors.mapping import ResponseMapping
from gateway.vendors.model import Vendor

COLUMNS = """
id, organization_id, name, endpoint, request_template_sealed, response_mapping, secret_header_name, timeout_seconds,
    created_at, updated_at, sends_quantity
"""

INSERT = f"""
INSERT INTO vendors (tenant_id, {COLUMNS}, secret_header_sealed)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
"""

LOCK = f"""
SELECT {COLUMNS} FROM vendors WHERE tenant_id = $1 AND organization_id = $2 AND id = $3 FOR UPDATE
"""

# The sealed secret is written only where the header is named.
UPDATE = """
UPDATE vendors SET name = $4, endpoint = $5, request_template_sealed = $6, response_mapping = $7, secret_header_name = $8,
    timeout_seconds = $9, updated_at = $10, sends_quantity = $13,
    secret_header_sealed = CASE WHEN $11 THEN $12 ELSE secret_header_sealed END
WHERE tenant_id = $1 AND organization_id = $2 AND id = $3
"""

FETCH = f"""
SELECT {COLUMNS} FROM vendors WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($3::uuid[])
"""

_PAGE = f"""
SELECT {COLUMNS} FROM vendors WHERE tenant_id = $1 AND organization_id = $2 AND id < $3 AND id > $4
"""
PAGE_FORWARDS = f"{_PAGE} ORDER BY id DESC LIMIT $5"
PAGE_BACKWARDS = f"{_PAGE} ORDER BY id LIMIT $5"

COUNT = count_up_to_max("vendors WHERE tenant_id = $1 AND organization_id = $2")


async def insert_vendor(
    connection: Connection, tenant_id: UUID, vendor: Vendor, sealed: bytes | None
) -> None:
    """Write a new vendor, with its sealed secret if it has one."""
    await connection.execute(
        INSERT,
        tenant_id,
        vendor.id,
        vendor.organization_id,
        vendor.name,
        vendor.endpoint,
        vendor.request_template_sealed,
        to_json(vendor.response_mapping.to_json()),
        vendor.secret_header_name,
        vendor.timeout_seconds,
        vendor.created_at,
        vendor.updated_at,
        vendor.sends_quantity,
        sealed,
    )


async def lock_vendor(
    connection: Connection, tenant_id: UUID, organization_id: UUID, vendor_id: UUID
) -> Vendor | None:
    """Return the vendor, kept from change until the database transaction ends."""
    row = await connection.fetchrow(LOCK, tenant_id, organization_id, vendor_id)
    return _to_vendor(row) if row else None


async def update_vendor(
    connection: Connection,
    tenant_id: UUID,
    vendor: Vendor,
    sealed: bytes | None,
    *,
    replaces_secret: bool,
) -> None:
    """Write what a vendor is from now on; its secret stays unless it is replaced."""
    await connection.execute(
        UPDATE,
        tenant_id,
        vendor.organization_id,
        vendor.id,
        vendor.name,
        vendor.endpoint,
        vendor.request_template_sealed,
        to_json(vendor.response_mapping.to_json()),
        vendor.secret_header_name,
        vendor.timeout_seconds,
        vendor.updated_at,
        replaces_secret,
        sealed,
        vendor.sends_quantity,
    )


async def fetch_vendors(
    connection: Connection, tenant_id: UUID, organization_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, Vendor]:
    """Return the organization's vendors of these ids that exist, by id."""
    rows = await connection.fetch(FETCH, tenant_id, organization_id, ids)
    return {row["id"]: _to_vendor(row) for row in rows}


async def fetch_vendor_page(
    connection: Connection, tenant_id: UUID, organization_id: UUID, request: PageRequest[UUID]
) -> Page[Vendor]:
    """Return a page of an organization's vendors, newest first."""
    rows = await connection.fetch(
        PAGE_BACKWARDS if request.backwards else PAGE_FORWARDS,
        tenant_id,
        organization_id,
        *id_bounds(request),
        request.fetch_limit,
    )
    return cut_page(request, [_to_vendor(row) for row in rows])


async def count_vendors(connection: Connection, tenant_id: UUID, organization_id: UUID) -> int:
    """Return how many vendors an organization has."""
    count: int = await connection.fetchval(COUNT, tenant_id, organization_id)
    return count


def _to_vendor(row: asyncpg.Record) -> Vendor:
    return Vendor(**{**row, "response_mapping": ResponseMapping.from_json(row["response_mapping"])})
