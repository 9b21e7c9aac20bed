"""Use case: say which other organizations may credit and deduct an asset.

Round trips inside the database transaction: claim the key, find the asset (none if the process knows it), lock its owner, look for
unknown organizations, replace, store the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import FieldError, InvalidInput, NotFound, OutOfReach
from gateway.ids import new_id
from gateway.ledger.assets import Asset
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.tenants.asset_rights import load_visible_assets
from gateway.tenants.assets import CREATABLE_KINDS, load_assets
from gateway.tenants.issuer_store import lock_owner
from gateway.tenants.issuers import check_issuers, fingerprint_issuers, write_issuers
from gateway.tenants.model import OrganizationReference

ASSET_PATH = ("input", "assetId")


@dataclass(frozen=True, slots=True)
class SetAssetIssuers:
    """All issuers of an asset from now on, beside its owner. `asset_id` None stands for an id that can name no asset."""

    request_id: str
    asset_id: UUID | None
    issuers: Sequence[OrganizationReference]


@dataclass(frozen=True, slots=True)
class AssetIssuers:
    """The asset whose issuers were set."""

    asset: Asset
    idempotent_replay: bool


async def set_asset_issuers(
    database: Database, caller: Caller, command: SetAssetIssuers
) -> AssetIssuers:
    """Replace an asset's issuers; who is not named any more cannot credit or deduct it from the commit on.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        NotFound: the caller's organization sees no such asset.
        OutOfReach: it sees the asset and does not own it.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    errors = check_key(command.request_id, ("input", "requestId"))
    if errors := errors + check_issuers(command.issuers):
        raise InvalidInput(errors)
    given = {"assetId": command.asset_id, "issuers": fingerprint_issuers(command.issuers)}
    request = Request(OperationKind.SET_ASSET_ISSUERS, command.request_id, given, new_id())

    async def work(connection: Connection, _: Operation) -> dict[str, Any]:
        asset = await _find_own(connection, caller, command.asset_id)
        await lock_owner(connection, caller.tenant_id, caller.organization_id)
        await write_issuers(connection, caller, asset.id, command.issuers)
        return {"asset_id": str(asset.id)}

    answer = await run_once(database, caller, request, work)
    asset_id = UUID(answer.value["asset_id"])
    async with database.connection() as connection:
        assets = await load_assets(connection, caller.tenant_id, [asset_id])
    return AssetIssuers(assets[asset_id], answer.idempotent_replay)


async def _find_own(connection: Connection, caller: Caller, asset_id: UUID | None) -> Asset:
    found = await load_visible_assets(connection, caller, [asset_id] if asset_id else [])
    for asset in found.assets.values():
        if asset.organization_id != caller.organization_id:
            message = "Only the organization that owns the asset names its issuers."
            raise OutOfReach(message, ASSET_PATH)
        if asset.kind not in CREATABLE_KINDS:
            message = f"assetId must not be of {asset.kind}: only its owner's rewards give it."
            raise InvalidInput([FieldError(ASSET_PATH, "kind", message)])
        return asset
    raise NotFound("No such asset.", ASSET_PATH)
