"""Rewards as grants show them: versions, which never change, and today's terms. Each function is one round trip.

A grant proves that its reader may see the version, whichever organization's reward it is of, and deleted or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.rewards.model import (
    RewardKind,
    RewardStatus,
    RewardTerms,
    RewardVersion,
    payment_config_from_json,
)
from gateway.rewards.store import PAYMENT_CONFIGS
from gateway.rewards.types import read_configuration
from gateway.storage.database import Connection

FETCH_VERSIONS = """
SELECT shown.id AS version_id, rewards.id, rewards.organization_id, rewards.kind, shown.name, shown.description,
    shown.configuration, shown.metadata, shown.member_metadata, rewards.created_at, shown.created_at AS updated_at
FROM reward_versions AS shown JOIN rewards ON rewards.tenant_id = $1 AND rewards.id = shown.reward_id
WHERE shown.tenant_id = $1 AND shown.id = ANY($2::uuid[])
"""

FETCH_TERMS = f"""
SELECT id, status, {PAYMENT_CONFIGS} FROM rewards WHERE tenant_id = $1 AND id = ANY($2::uuid[])
"""


async def fetch_reward_versions(
    connection: Connection, tenant_id: UUID, version_ids: Sequence[UUID]
) -> dict[UUID, RewardVersion]:
    """Return rewards as they were in these versions, by version id (MON-5)."""
    return {
        row["version_id"]: RewardVersion(
            version_id=row["version_id"],
            id=row["id"],
            organization_id=row["organization_id"],
            name=row["name"],
            description=row["description"],
            configuration=read_configuration(RewardKind(row["kind"]), row["configuration"]),
            metadata=row["metadata"],
            created_at=row["created_at"],
            updated_at=row["updated_at"],
            member_metadata=row["member_metadata"],
        )
        for row in await connection.fetch(FETCH_VERSIONS, tenant_id, version_ids)
    }


async def fetch_reward_terms(
    connection: Connection, tenant_id: UUID, reward_ids: Sequence[UUID]
) -> dict[UUID, RewardTerms]:
    """Return today's terms of these rewards, by id."""
    return {
        reward_id: RewardTerms(
            RewardStatus(status), tuple(map(payment_config_from_json, payment_configs))
        )
        for reward_id, status, payment_configs in await connection.fetch(
            FETCH_TERMS, tenant_id, reward_ids
        )
    }
