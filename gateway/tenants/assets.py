"""Assets of a tenant: create one, and look them up without asking the database twice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import AlreadyExists, FieldError, InvalidInput
from gateway.ids import new_id
from gateway.ledger.assets import SCALE_MAX, Asset, AssetKind
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database
from gateway.tenants import store
from gateway.tenants.issuers import check_issuers, fingerprint_issuers, write_issuers
from gateway.tenants.model import NAME_LENGTH_MAX, OrganizationReference
from gateway.text import check_text

CODE_PATTERN = re.compile(r"[A-Za-z0-9._-]{1,32}")
CACHED_ASSETS_MAX = 10_000
EXPIRES_AFTER_DAYS_MAX = 3_650

# Units of a product and entries of a competition are made with the product or competition they belong to.
CREATABLE_KINDS = frozenset(AssetKind) - {AssetKind.PRODUCT, AssetKind.COMPETITION}
# Money does not expire.
EXPIRING_KINDS = CREATABLE_KINDS - {AssetKind.CASH}

_cache: dict[tuple[UUID, UUID], Asset] = {}


@dataclass(frozen=True, slots=True)
class CreateAsset:
    """What to count. An id of None lets the gateway choose one."""

    request_id: str
    code: str
    name: str
    kind: AssetKind
    scale: int = 0
    asset_id: UUID | None = None
    expires_after_days: int | None = None
    issuers: Sequence[OrganizationReference] = ()


@dataclass(frozen=True, slots=True)
class CreatedAsset:
    """The asset, as it will stay."""

    asset: Asset
    idempotent_replay: bool


async def create_asset(database: Database, caller: Caller, command: CreateAsset) -> CreatedAsset:
    """Create an asset of the caller's organization; but for who else may issue it, it never changes afterwards.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: the command breaks a rule.
        AlreadyExists: the id or the code is taken; the path says which.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    if errors := check_command(command):
        raise InvalidInput(errors)
    fields: dict[str, object] = {
        "id": command.asset_id,
        "code": command.code,
        "name": command.name,
        "kind": command.kind,
        "decimals": command.scale,
        "expiresAfterDays": command.expires_after_days,
    }
    if command.issuers:
        fields["issuers"] = fingerprint_issuers(command.issuers)
    request = Request(OperationKind.CREATE_ASSET, command.request_id, fields, new_id())
    asset_id = command.asset_id or new_id()
    asset = Asset(
        id=asset_id,
        code=command.code,
        name=command.name,
        kind=command.kind,
        scale=command.scale,
        expires_after_days=command.expires_after_days,
        organization_id=caller.organization_id,
    )

    async def work(connection: Connection, operation: Operation) -> dict[str, object]:
        if not await store.insert_assets(connection, caller.tenant_id, [asset], operation.at):
            known = await store.fetch_assets_by_id(connection, caller.tenant_id, [asset_id])
            field = "id" if known else "code"
            raise AlreadyExists(f"An asset with this {field} exists.", ("input", field))
        if command.issuers:
            await write_issuers(connection, caller, asset_id, command.issuers)
        return {"asset_id": str(asset_id)}

    answer = await run_once(database, caller, request, work)
    if answer.idempotent_replay:
        # Only the id differs between the first request and this one.
        asset = replace(asset, id=UUID(answer.value["asset_id"]))
    return CreatedAsset(asset, answer.idempotent_replay)


def check_command(command: CreateAsset) -> list[FieldError]:
    """Return every rule that the command breaks."""
    errors = check_key(command.request_id, ("input", "requestId"))
    if CODE_PATTERN.fullmatch(command.code) is None:
        message = "code must be 1 to 32 characters: letters, digits, dot, underscore, hyphen."
        errors.append(FieldError(("input", "code"), "pattern", message))
    errors += check_text(command.name, ("input", "name"), NAME_LENGTH_MAX)
    if command.kind not in CREATABLE_KINDS:
        message = f"kind must not be {command.kind}: create the product or competition instead."
        errors.append(FieldError(("input", "kind"), "kind", message))
    if not 0 <= command.scale <= SCALE_MAX:
        message = f"decimals must be from 0 to {SCALE_MAX}."
        errors.append(FieldError(("input", "decimals"), "range", message))
    return errors + _check_lifetime(command) + check_issuers(command.issuers)


def _check_lifetime(command: CreateAsset) -> list[FieldError]:
    path, days = ("input", "expiresAfterDays"), command.expires_after_days
    if days is None:
        return []
    if not 1 <= days <= EXPIRES_AFTER_DAYS_MAX:
        message = f"expiresAfterDays must be from 1 to {EXPIRES_AFTER_DAYS_MAX}."
        return [FieldError(path, "range", message)]
    if command.kind in EXPIRING_KINDS:
        return []
    return [FieldError(path, "kind", f"expiresAfterDays cannot be given for {command.kind}.")]


def recall_asset(tenant_id: UUID, asset_id: UUID) -> Asset | None:
    """Return an asset that the process has seen before, or None."""
    return _cache.get((tenant_id, asset_id))


def recall_assets(tenant_id: UUID, asset_ids: Iterable[UUID]) -> dict[UUID, Asset]:
    """Return those of these assets that the process has seen before, by id."""
    return {
        asset_id: asset for asset_id in asset_ids if (asset := _cache.get((tenant_id, asset_id)))
    }


async def load_assets(
    connection: Connection, tenant_id: UUID, asset_ids: Iterable[UUID]
) -> dict[UUID, Asset]:
    """Return the assets of these ids that exist in the tenant, by id.

    Assets never change, so each process keeps those it has seen. Round trips: one if some are new to it, else none.
    Not for assets made in the same database transaction: it may yet be undone.
    """
    wanted = set(asset_ids)
    found = recall_assets(tenant_id, wanted)
    missing = wanted - found.keys()
    if missing:
        fetched = await store.fetch_assets_by_id(connection, tenant_id, list(missing))
        if len(_cache) + len(fetched) > CACHED_ASSETS_MAX:
            _cache.clear()
        _cache.update({(tenant_id, asset_id): asset for asset_id, asset in fetched.items()})
        found |= fetched
    return found
