"""What grants gave, as it was when each was made (MON-5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from gateway.grants.record import GrantKind
from gateway.grants.row import ShownGrant
from gateway.ids import to_uuid
from gateway.promises import Promise
from gateway.rewards.version_store import fetch_reward_versions
from gateway.storage.database import Connection
from resolvers.loaders import Loaders
from resolvers.types.catalog_reward import CatalogReward, to_catalog_reward
from resolvers.types.reward import CurrencyReward, CustomReward, Reward

# A version is at most about 20 kB, nearly all of it the partner's metadata.
KEPT_VERSIONS_MAX = 2_000

# Looking a member of an enum up takes several times as long.
_CUSTOM = GrantKind.CUSTOM

# Versions that the process has met, by tenant and id, as their GraphQL types: they never change, and many grants have the same.
_kept: dict[tuple[UUID, UUID], CatalogReward] = {}


def present_granted_reward(loaders: Loaders, grant: ShownGrant) -> Reward | Promise[Reward]:
    """Return what a grant gave.

    It is there at once if the process has met the version, or the assets of a reward outside of the catalog. Those of a list
    that it has not met share one statement.
    """
    version_id = grant.reward_version_id
    if version_id is not None:
        kept = _kept.get((loaders.caller.tenant_id, version_id))
        return _load_version(loaders, version_id) if kept is None else kept
    known, benefits = loaders.assets_by_text, grant.benefits
    credits = []
    for benefit in benefits:
        asset_id = benefit["asset_id"]
        asset = known.get(asset_id) or loaders.find_asset_by_text(asset_id)
        if asset is None:
            return loaders.with_assets(
                [to_uuid(each["asset_id"]) for each in benefits],
                lambda: present_granted_reward(loaders, grant),
            )
        credits.append((asset, benefit["amount_minor"]))
    if grant.kind is _CUSTOM:
        (credit,) = credits
        return CustomReward(credit, grant)
    return CurrencyReward(credits)


def _load_version(loaders: Loaders, version_id: UUID) -> Promise[Reward]:
    def present(version: CatalogReward | None) -> Reward:
        assert version is not None  # noqa: S101 - versions are never deleted
        return version

    return loaders.using(_fetch_versions).load(version_id).then(present)


async def _fetch_versions(
    connection: Connection, loaders: Loaders, version_ids: Sequence[UUID]
) -> Mapping[UUID, CatalogReward]:
    """Return versions by id, and keep them for the process."""
    tenant_id = loaders.caller.tenant_id
    fetched = await fetch_reward_versions(connection, tenant_id, version_ids)
    shown = {version_id: to_catalog_reward(version) for version_id, version in fetched.items()}
    if len(_kept) + len(shown) > KEPT_VERSIONS_MAX:
        _kept.clear()
    _kept.update({(tenant_id, version_id): version for version_id, version in shown.items()})
    return shown
