"""Daily limits of credentials: how much of an asset each may issue in a day (UTC)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.ledger import limit_store
from gateway.ledger.assets import Asset, InexactAmount, to_minor
from gateway.ledger.limits import DailyLimit
from gateway.storage.database import Database
from gateway.tenants import credentials_store
from gateway.tenants.store import fetch_assets_by_code

_PATH = ("dailyMaxima",)


async def check_daily_limits(
    database: Database, tenant_id: UUID, maxima: Mapping[str, Decimal | None]
) -> list[tuple[UUID, int | None]]:
    """Return the assets and smallest units of limits given by asset code; None is no limit.

    Raises:
        InvalidInput: a code is no asset's of the tenant, or an amount is negative or inexact.
    """
    async with database.connection() as connection:
        assets = await fetch_assets_by_code(connection, tenant_id, list(maxima))
    errors: list[FieldError] = []
    found: list[tuple[UUID, int | None]] = []
    for code, maximum in maxima.items():
        asset = assets.get(code)
        if asset is None:
            errors.append(FieldError(_PATH, "asset", f"The tenant has no asset {code}."))
        elif maximum is None:
            found.append((asset.id, None))
        elif (minor := _to_minor(asset, maximum, errors)) is not None:
            found.append((asset.id, minor))
    if errors:
        raise InvalidInput(errors)
    return found


async def set_daily_limits(
    database: Database,
    tenant_id: UUID,
    credential_id: UUID,
    limits: list[tuple[UUID, int | None]],
) -> None:
    """Set or remove a credential's limits; those of assets that are not named stay. In force within a second. As the operator.

    Raises:
        NotFound: the tenant has no such credential.
        OperatorNeeded: whoever logged in may not be the operator.
    """
    maxima = [(asset_id, minor) for asset_id, minor in limits if minor is not None]
    removed = [asset_id for asset_id, minor in limits if minor is None]
    at = datetime.now(UTC)
    async with database.operator_transaction() as connection:
        if not await credentials_store.has_credential(connection, tenant_id, credential_id):
            raise NotFound("No such credential.", ("credentialId",))
        if maxima:
            await limit_store.set_limits(connection, tenant_id, credential_id, maxima, at)
        if removed:
            await limit_store.remove_limits(connection, tenant_id, credential_id, removed)


async def fetch_daily_limits(
    database: Database, tenant_id: UUID
) -> Mapping[UUID, list[DailyLimit]]:
    """Return the limits of every credential of the tenant that has any."""
    async with database.connection() as connection:
        return await limit_store.fetch_limits(connection, tenant_id)


def _to_minor(asset: Asset, maximum: Decimal, errors: list[FieldError]) -> int | None:
    try:
        minor = to_minor(maximum, asset.scale)
    except InexactAmount as error:
        errors.append(FieldError(_PATH, "exact", f"The daily maximum of {asset.code} {error}."))
        return None
    if minor < 0:
        message = f"The daily maximum of {asset.code} must not be negative."
        errors.append(FieldError(_PATH, "range", message))
        return None
    return minor
