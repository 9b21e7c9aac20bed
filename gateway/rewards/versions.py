"""Versions of rewards, looked up without asking the database twice: they never change."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from gateway.rewards.model import RewardVersion
from gateway.rewards.version_store import fetch_reward_versions
from gateway.storage.database import Connection

# A version is at most about 20 kB, nearly all of it the partner's metadata.
CACHED_VERSIONS_MAX = 2_000

_cache: dict[tuple[UUID, UUID], RewardVersion] = {}


def recall_reward_version(tenant_id: UUID, version_id: UUID) -> RewardVersion | None:
    """Return a version that the process has seen before, or None."""
    return _cache.get((tenant_id, version_id))


async def load_reward_versions(
    connection: Connection, tenant_id: UUID, version_ids: Iterable[UUID]
) -> dict[UUID, RewardVersion]:
    """Return rewards as they were in these versions, by version id, and keep them for the process.

    Round trips: one if some are new to the process, else none.
    """
    wanted = dict.fromkeys(version_ids)
    found = {
        version_id: version
        for version_id in wanted
        if (version := recall_reward_version(tenant_id, version_id))
    }
    missing = [version_id for version_id in wanted if version_id not in found]
    if missing:
        fetched = await fetch_reward_versions(connection, tenant_id, missing)
        if len(_cache) + len(fetched) > CACHED_VERSIONS_MAX:
            _cache.clear()
        _cache.update({(tenant_id, version_id): new for version_id, new in fetched.items()})
        found |= fetched
    return found
