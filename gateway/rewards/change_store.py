"""Changes to rewards, their versions and payment configurations. Each function is one round trip."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.rewards.model import PaymentConfig, Reward
from gateway.storage.database import Connection, column, to_json

# The version and the payment configurations follow only if the id was free.
INSERT = """
WITH new_reward AS (
    INSERT INTO rewards (tenant_id, id, organization_id, kind, status, version_id, created_at, updated_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $7)
    ON CONFLICT (tenant_id, id) DO NOTHING
    RETURNING id
), new_version AS (
    INSERT INTO reward_versions
        (tenant_id, id, reward_id, name, description, configuration, metadata, member_metadata, created_at)
    SELECT $1, $6, id, $8, $9, $10, $11, $12, $7 FROM new_reward
), new_configs AS (
    INSERT INTO payment_configs
        (tenant_id, reward_id, id, mode, asset_id, amount_minor, cash_asset_id, cash_amount_minor, conversion_ratio)
    SELECT $1, new_reward.id, given.*
    FROM new_reward, unnest($13::uuid[], $14::text[], $15::uuid[], $16::bigint[], $17::uuid[], $18::bigint[], $19::numeric[])
        AS given
)
SELECT id FROM new_reward
"""

# Locked by itself: joined to its version, a row that changed while this waited would drop out of the join.
LOCK = """
SELECT id FROM rewards WHERE tenant_id = $1 AND organization_id = $2 AND id = $3 AND deleted_at IS NULL FOR UPDATE
"""

INSERT_VERSION = """
INSERT INTO reward_versions
    (tenant_id, id, reward_id, name, description, configuration, metadata, member_metadata, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""

UPDATE = """
UPDATE rewards SET status = $4, version_id = $5, updated_at = $6
WHERE tenant_id = $1 AND organization_id = $2 AND id = $3
"""

REPLACE_CONFIGS = """
WITH archived AS (
    UPDATE payment_configs SET archived_at = $3 WHERE tenant_id = $1 AND reward_id = $2 AND archived_at IS NULL
)
INSERT INTO payment_configs
    (tenant_id, reward_id, id, mode, asset_id, amount_minor, cash_asset_id, cash_amount_minor, conversion_ratio)
SELECT $1, $2, given.*
FROM unnest($4::uuid[], $5::text[], $6::uuid[], $7::bigint[], $8::uuid[], $9::bigint[], $10::numeric[]) AS given
"""

DELETE = """
UPDATE rewards SET deleted_at = $4, updated_at = $4
WHERE tenant_id = $1 AND organization_id = $2 AND id = $3 AND deleted_at IS NULL
RETURNING id
"""


async def insert_reward(connection: Connection, tenant_id: UUID, reward: Reward) -> bool:
    """Write a reward, its first version and its payment configurations; tell whether its id was free."""
    rows = await connection.fetch(
        INSERT,
        tenant_id,
        reward.id,
        reward.organization_id,
        reward.kind,
        reward.status,
        reward.version_id,
        reward.created_at,
        reward.name,
        reward.description,
        to_json(reward.configuration.to_json()),
        to_json(reward.metadata),
        to_json(reward.member_metadata),
        *_config_columns(reward.payment_configs),
    )
    return bool(rows)


async def lock_reward(
    connection: Connection, tenant_id: UUID, organization_id: UUID, reward_id: UUID
) -> bool:
    """Keep others from changing a reward until the database transaction ends; tell whether there is one."""
    return bool(await connection.fetch(LOCK, tenant_id, organization_id, reward_id))


async def insert_version(connection: Connection, tenant_id: UUID, reward: Reward) -> None:
    """Write what a reward is from now on."""
    await connection.execute(
        INSERT_VERSION,
        tenant_id,
        reward.version_id,
        reward.id,
        reward.name,
        reward.description,
        to_json(reward.configuration.to_json()),
        to_json(reward.metadata),
        to_json(reward.member_metadata),
        reward.updated_at,
    )


async def update_reward_row(connection: Connection, tenant_id: UUID, reward: Reward) -> None:
    """Point a reward at its current version and status."""
    await connection.execute(
        UPDATE,
        tenant_id,
        reward.organization_id,
        reward.id,
        reward.status,
        reward.version_id,
        reward.updated_at,
    )


async def replace_payment_configs(connection: Connection, tenant_id: UUID, reward: Reward) -> None:
    """Archive a reward's payment configurations and write its new ones."""
    columns = _config_columns(reward.payment_configs)
    await connection.execute(REPLACE_CONFIGS, tenant_id, reward.id, reward.updated_at, *columns)


async def mark_deleted(
    connection: Connection, tenant_id: UUID, organization_id: UUID, reward_id: UUID, at: datetime
) -> bool:
    """Hide a reward from the catalog; tell whether there was one."""
    return bool(await connection.fetch(DELETE, tenant_id, organization_id, reward_id, at))


def _config_columns(configs: Sequence[PaymentConfig]) -> list[list[Any]]:
    names = (
        "id",
        "mode",
        "asset_id",
        "amount_minor",
        "cash_asset_id",
        "cash_amount_minor",
        "conversion_ratio",
    )
    return [column(configs, name) for name in names]
