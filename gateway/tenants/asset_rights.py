"""Which assets an organization may credit and deduct: the tenant's, its own, and those whose owner names it as an issuer.

Who owns an asset never changes and is kept by the process; who issues it is read each time that it decides, which happens only
for assets of other organizations. Decision 0065.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from uuid import UUID

from gateway.access import Caller
from gateway.errors import NotFound, OutOfReach
from gateway.ledger.asset_scope_store import AssetScope
from gateway.ledger.assets import Asset, AssetUse, say_forbidden
from gateway.storage.database import Connection
from gateway.tenants.assets import load_assets
from gateway.tenants.issuer_store import fetch_named

NO_USES: frozenset[AssetUse] = frozenset()


@dataclass(frozen=True, slots=True)
class VisibleAssets:
    """The assets among some that the caller's organization can see, by id, and which of those it may not move."""

    assets: Mapping[UUID, Asset]
    forbidden_ids: Set[UUID]


def asset_scope_of(caller: Caller) -> AssetScope | None:
    """Return which assets the caller sees in what members and groups have; None for all, as members see what is theirs."""
    if caller.member_id is not None:
        return None
    return AssetScope(tuple(sorted(caller.organization_ids)), caller.organization_id)


async def find_forbidden_uses(
    connection: Connection, caller: Caller, uses: Iterable[AssetUse]
) -> frozenset[AssetUse]:
    """Return those of the uses, by organization and asset, that the asset's owner does not allow.

    Round trips: none for the tenant's standard assets and for assets that the process knows to be the organization's own; one
    for assets that are new to the process; one for assets of other organizations.
    """
    wanted = {use for use in uses if use[1] not in caller.standard_assets}
    if not wanted:
        return NO_USES
    assets = await load_assets(connection, caller.tenant_id, {asset_id for _, asset_id in wanted})
    return await _find_foreign(connection, caller, wanted, assets)


async def load_visible_assets(
    connection: Connection, caller: Caller, asset_ids: Collection[UUID]
) -> VisibleAssets:
    """Return what the caller's organization can see of these assets, and what it may not do.

    It sees the tenant's, its own, those that it issues, and those of the organizations that the credential reaches; it may
    move all but the last. Round trips: as `find_forbidden_uses`.
    """
    assets = await load_assets(connection, caller.tenant_id, asset_ids)
    uses = {(caller.organization_id, asset_id) for asset_id in assets}
    foreign = await _find_foreign(connection, caller, uses, assets)
    forbidden_ids = {asset_id for _, asset_id in foreign}
    hidden = {id_ for id_ in forbidden_ids if assets[id_].organization_id not in caller.reach}
    if hidden:
        assets = {id_: asset for id_, asset in assets.items() if id_ not in hidden}
    return VisibleAssets(assets, forbidden_ids - hidden)


async def find_movable_asset(
    connection: Connection, caller: Caller, asset_id: UUID | None, path: tuple[str, ...]
) -> Asset:
    """Return an asset that the caller's organization may credit and deduct. Round trips: as `find_forbidden_uses`.

    Raises:
        NotFound: it can see no such asset.
        OutOfReach: it can see the asset and may not move it.
    """
    found = await load_visible_assets(connection, caller, [asset_id] if asset_id else [])
    for asset in found.assets.values():
        if asset.id in found.forbidden_ids:
            raise OutOfReach(say_forbidden(asset), path)
        return asset
    raise NotFound("No such asset.", path)


async def require_movable(
    connection: Connection, caller: Caller, asset_id: UUID, path: tuple[str, ...]
) -> Asset:
    """Return the asset of something that the caller's organization has, if it may still credit and deduct the asset.

    Round trips: as `find_forbidden_uses`.

    Raises:
        OutOfReach: the owner does not name the organization, or not any more.
    """
    asset = (await load_assets(connection, caller.tenant_id, [asset_id]))[asset_id]
    if await find_forbidden_uses(connection, caller, [(caller.organization_id, asset_id)]):
        raise OutOfReach(say_forbidden(asset), path)
    return asset


async def _find_foreign(
    connection: Connection,
    caller: Caller,
    uses: Iterable[AssetUse],
    assets: Mapping[UUID, Asset],
) -> frozenset[AssetUse]:
    foreign = {
        use
        for use in uses
        if use[1] in assets and assets[use[1]].organization_id not in {None, use[0]}
    }
    if not foreign:
        return NO_USES
    return frozenset(foreign - await fetch_named(connection, caller.tenant_id, foreign))
