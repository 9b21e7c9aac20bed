"""The catalog as it is read. Each function is one round trip, whatever the number of rewards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from gateway.rewards.model import (
    Reward,
    RewardKind,
    RewardStatus,
    payment_config_from_json,
)
from gateway.rewards.types import read_configuration
from gateway.storage.count_store import count_up_to_max
from gateway.storage.database import Connection
from gateway.storage.pages import Page, PageRequest, cut_page, id_bounds

# A ratio goes as text, so that JSON keeps all its digits. Ids are made in order, so they sort as they were given.
PAYMENT_CONFIGS = """
ARRAY(
    SELECT jsonb_build_object(
        'id', id, 'mode', mode, 'asset_id', asset_id, 'amount_minor', amount_minor,
        'cash_asset_id', cash_asset_id, 'cash_amount_minor', cash_amount_minor,
        'conversion_ratio', conversion_ratio::text)
    FROM payment_configs
    WHERE payment_configs.tenant_id = $1 AND reward_id = rewards.id AND archived_at IS NULL
    ORDER BY id
) AS payment_configs
"""
COLUMNS = f"""
    rewards.id, rewards.organization_id, rewards.kind, rewards.status, rewards.created_at,
    shown.id AS version_id, shown.name, shown.description, shown.configuration, shown.metadata, shown.member_metadata,
    {PAYMENT_CONFIGS}
"""

FETCH = f"""
SELECT {COLUMNS}, rewards.updated_at
FROM rewards JOIN reward_versions AS shown ON shown.tenant_id = $1 AND shown.id = rewards.version_id
WHERE rewards.tenant_id = $1 AND organization_id = $2 AND rewards.id = ANY($3::uuid[]) AND deleted_at IS NULL
"""

_FILTERED = """
rewards.tenant_id = $1 AND organization_id = $2 AND deleted_at IS NULL
    AND ($3::text[] IS NULL OR status = ANY($3)) AND ($4::text[] IS NULL OR kind = ANY($4))
"""

_PAGE = f"""
SELECT {COLUMNS}, rewards.updated_at
FROM rewards JOIN reward_versions AS shown ON shown.tenant_id = $1 AND shown.id = rewards.version_id
WHERE {_FILTERED} AND rewards.id < $5 AND rewards.id > $6
"""
PAGE_FORWARDS = _PAGE + "ORDER BY rewards.id DESC LIMIT $7"
PAGE_BACKWARDS = _PAGE + "ORDER BY rewards.id LIMIT $7"

COUNT = count_up_to_max(f"rewards WHERE {_FILTERED}")


@dataclass(frozen=True, slots=True)
class RewardFilter:
    """Which rewards of the catalog: of any of these; None stands for all, an empty tuple for none."""

    statuses: tuple[RewardStatus, ...] | None = None
    kinds: tuple[RewardKind, ...] | None = None


async def fetch_rewards(
    connection: Connection, tenant_id: UUID, organization_id: UUID, ids: Sequence[UUID]
) -> dict[UUID, Reward]:
    """Return the organization's rewards that exist and are not deleted, with their payment configurations, by id."""
    rows = await connection.fetch(FETCH, tenant_id, organization_id, ids)
    return {row["id"]: to_reward(row) for row in rows}


async def fetch_reward_page(
    connection: Connection,
    tenant_id: UUID,
    organization_id: UUID,
    reward_filter: RewardFilter,
    request: PageRequest[UUID],
) -> Page[Reward]:
    """Return a page of the catalog, newest first; rewards whose id a client chose stand where that id sorts."""
    statement = PAGE_BACKWARDS if request.backwards else PAGE_FORWARDS
    rows = await connection.fetch(
        statement,
        tenant_id,
        organization_id,
        reward_filter.statuses,
        reward_filter.kinds,
        *id_bounds(request),
        request.fetch_limit,
    )
    return cut_page(request, [to_reward(row) for row in rows])


async def count_rewards(
    connection: Connection, tenant_id: UUID, organization_id: UUID, reward_filter: RewardFilter
) -> int:
    """Return how many rewards match."""
    count: int = await connection.fetchval(
        COUNT, tenant_id, organization_id, reward_filter.statuses, reward_filter.kinds
    )
    return count


def to_reward(row: Mapping[str, Any] | asyncpg.Record) -> Reward:
    """Return the reward of a row with `COLUMNS` and the time of its last change."""
    kind = RewardKind(row["kind"])
    return Reward(
        id=row["id"],
        organization_id=row["organization_id"],
        kind=kind,
        version_id=row["version_id"],
        name=row["name"],
        description=row["description"],
        configuration=read_configuration(kind, row["configuration"]),
        metadata=row["metadata"],
        status=RewardStatus(row["status"]),
        payment_configs=tuple(map(payment_config_from_json, row["payment_configs"])),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        member_metadata=row["member_metadata"],
    )
