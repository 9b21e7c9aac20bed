"""The state of rewards today, and rewards in it. Each function is one round trip, whatever the number of rewards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import UUID

from gateway.rewards.model import Reward
from gateway.rewards.store import COLUMNS, to_reward
from gateway.storage.database import Connection

# Id, version id, status, time of the last change, and the ids of the payment configurations, all as text.
State: TypeAlias = list[Any]

# Names every part of a reward that can change: versions and payment configurations never do, and get new ids.
STATE = """
jsonb_build_array(rewards.id, rewards.version_id, rewards.status, rewards.updated_at, ARRAY(
    SELECT id FROM payment_configs
    WHERE payment_configs.tenant_id = $1 AND reward_id = rewards.id AND archived_at IS NULL ORDER BY id))
"""

# The state with the reward, so that both are of one moment.
FETCH = f"""
SELECT {STATE} AS state, {COLUMNS}, rewards.updated_at
FROM rewards JOIN reward_versions AS shown ON shown.tenant_id = $1 AND shown.id = rewards.version_id
WHERE rewards.tenant_id = $1 AND rewards.id = ANY($2::uuid[]) AND deleted_at IS NULL
"""


async def fetch_current_rewards(
    connection: Connection, tenant_id: UUID, ids: Sequence[UUID]
) -> list[tuple[State, Reward]]:
    """Return the rewards of the tenant that exist and are not deleted, each with its state."""
    rows = await connection.fetch(FETCH, tenant_id, ids)
    return [(row["state"], to_reward(row)) for row in rows]
