"""Which of the things that a reward refers to exist: one statement for all of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.ledger.assets import Asset, AssetKind
from gateway.rewards.types.base import Facts, References
from gateway.storage.database import Connection

# One row, whatever is missing. The limit makes the last look-up an index probe for each pool, however many codes it has.
FACTS = """
SELECT
    ARRAY(SELECT jsonb_build_object('id', id, 'code', code, 'name', name, 'kind', kind, 'scale', scale,
            'organization_id', organization_id, 'is_movable', is_movable)
        FROM assets CROSS JOIN LATERAL (SELECT organization_id IS NULL OR organization_id = $2 OR EXISTS (
            SELECT FROM asset_issuers AS issuers
            WHERE issuers.tenant_id = $1 AND issuers.asset_id = assets.id AND issuers.organization_id = $2) AS is_movable) AS rights
        WHERE tenant_id = $1 AND id = ANY($3::uuid[]) AND (is_movable OR organization_id = ANY($8::uuid[]))) AS assets,
    ARRAY(SELECT id FROM products
        WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($4::uuid[])) AS product_ids,
    ARRAY(SELECT id FROM competitions
        WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($5::uuid[])) AS competition_ids,
    ARRAY(SELECT id FROM code_pools
        WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($6::uuid[])) AS code_pool_ids,
    ARRAY(SELECT id FROM code_pools CROSS JOIN LATERAL (
            SELECT FROM codes WHERE codes.tenant_id = $1 AND pool_id = code_pools.id AND status = 'FREE'
                AND (expires_at IS NULL OR expires_at > now()) LIMIT 1
        ) AS free
        WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($6::uuid[])) AS stocked_pool_ids,
    ARRAY(SELECT id FROM vendors
        WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($7::uuid[])) AS vendor_ids,
    ARRAY(SELECT id FROM vendors
        WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($7::uuid[]) AND sends_quantity) AS quantity_vendor_ids
"""


async def fetch_facts(connection: Connection, caller: Caller, references: References) -> Facts:
    """Find out which of the ids referred to exist for the caller's organization."""
    points_asset_id = caller.standard_assets.points_id
    (row,) = await connection.fetch(
        FACTS,
        caller.tenant_id,
        caller.organization_id,
        references.asset_ids | {points_asset_id},
        references.product_ids,
        references.competition_ids,
        references.code_pool_ids,
        references.vendor_ids,
        sorted(caller.reach),
    )
    assets = [_to_asset(item) for item in row["assets"]]
    return Facts(
        points_asset_id=points_asset_id,
        assets={asset.id: asset for asset in assets},
        forbidden_asset_ids=frozenset(
            UUID(item["id"]) for item in row["assets"] if not item["is_movable"]
        ),
        product_ids=frozenset(row["product_ids"]),
        competition_ids=frozenset(row["competition_ids"]),
        code_pool_ids=frozenset(row["code_pool_ids"]),
        stocked_pool_ids=frozenset(row["stocked_pool_ids"]),
        vendor_ids=frozenset(row["vendor_ids"]),
        quantity_vendor_ids=frozenset(row["quantity_vendor_ids"]),
    )


def _to_asset(item: Mapping[str, Any]) -> Asset:
    owner_id = item["organization_id"]
    return Asset(
        UUID(item["id"]),
        item["code"],
        item["name"],
        AssetKind(item["kind"]),
        item["scale"],
        organization_id=UUID(owner_id) if owner_id else None,
    )
