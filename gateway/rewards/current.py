"""Rewards as they are today, read in full only if they have changed since this process read them last.

What a caller reads in its own database transaction is a reward's state, which names the version, the payment configurations, the
status and the time of the last change. A reward that the process has kept is the same one if its state is the same, so whoever
makes a reward inactive or changes its price is heard at once, by every process.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from gateway.ids import to_uuid
from gateway.rewards.current_store import State, fetch_current_rewards
from gateway.rewards.model import Reward
from gateway.storage.database import Connection

# A reward is at most about 20 kB, nearly all of it the partner's metadata.
CACHED_REWARDS_MAX = 2_000

_cache: dict[tuple[UUID, str], tuple[State, Reward]] = {}


async def load_current_rewards(
    connection: Connection, tenant_id: UUID, states: Iterable[State]
) -> dict[UUID, Reward]:
    """Return the rewards of these states, just read, by id; one that was deleted since is left out.

    Round trips: one if some have changed or are new to this process, else none.
    """
    rewards: dict[UUID, Reward] = {}
    missing = []
    for state in states:
        known = _cache.get((tenant_id, state[0]))
        if known is not None and known[0] == state:
            rewards[known[1].id] = known[1]
        else:
            missing.append(to_uuid(state[0]))
    if missing:
        fetched = await fetch_current_rewards(connection, tenant_id, missing)
        if len(_cache) + len(fetched) > CACHED_REWARDS_MAX:
            _cache.clear()
        for state, reward in fetched:
            _cache[tenant_id, state[0]] = (state, reward)
            rewards[reward.id] = reward
    return rewards
