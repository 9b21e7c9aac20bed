"""Which of the things that a reward refers to exist: one statement for all of them."""

from __future__ import annotations

from uuid import UUID

from gateway.access import Caller
from gateway.ledger.assets import Asset, AssetKind
from gateway.rewards.types.base import Facts, References
from gateway.storage.database import Connection

# One row, whatever is missing. The limit makes the last look-up an index probe for each pool, however many codes it has.
FACTS = """
SELECT
    ARRAY(SELECT jsonb_build_object('id', id, 'code', code, 'name', name, 'kind', kind, 'scale', scale)
        FROM assets WHERE tenant_id = $1 AND id = ANY($3::uuid[])) AS assets,
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
    ARRAY(SELECT jsonb_build_object('id', id, 'request_template', request_template) FROM vendors
        WHERE tenant_id = $1 AND organization_id = $2 AND id = ANY($7::uuid[])) AS vendors
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
    )
    assets = [
        Asset(UUID(item["id"]), item["code"], item["name"], AssetKind(item["kind"]), item["scale"])
        for item in row["assets"]
    ]
    return Facts(
        points_asset_id=points_asset_id,
        assets={asset.id: asset for asset in assets},
        product_ids=frozenset(row["product_ids"]),
        competition_ids=frozenset(row["competition_ids"]),
        code_pool_ids=frozenset(row["code_pool_ids"]),
        stocked_pool_ids=frozenset(row["stocked_pool_ids"]),
        vendor_templates={UUID(item["id"]): item["request_template"] for item in row["vendors"]},
    )
