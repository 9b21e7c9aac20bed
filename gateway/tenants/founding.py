"""Found a tenant with its standard assets and first organization, and add organizations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from gateway.access import StandardAssets
from gateway.errors import AlreadyExists, InvalidInput, NotFound
from gateway.ids import new_id, new_ids
from gateway.ledger.assets import Asset
from gateway.storage.database import Database
from gateway.tenants import store
from gateway.tenants.model import (
    CASH,
    EXPERIENCE,
    NAME_LENGTH_MAX,
    POINTS,
    AssetDescription,
    Organization,
    Tenant,
)
from gateway.text import check_text


@dataclass(frozen=True, slots=True)
class FoundedTenant:
    """A new tenant, its first organization, and its assets: the standard three, then the extra ones in order."""

    tenant: Tenant
    organization: Organization
    assets: tuple[Asset, ...]


async def create_tenant(
    database: Database,
    name: str,
    organization_name: str,
    extra_assets: Sequence[AssetDescription] = (),
    *,
    is_test: bool = False,
) -> FoundedTenant:
    """Found a tenant with points, experience points and US dollars, and its first organization. As the operator.

    The tokens of a tenant for tests begin with `rgw_test_`.

    Raises:
        OperatorNeeded: whoever logged in may not be the operator.
        InvalidInput: a name breaks a rule.
        AlreadyExists: two assets have the same code.
    """
    errors = check_text(name, ("name",), NAME_LENGTH_MAX)
    if errors := errors + check_text(organization_name, ("organizationName",), NAME_LENGTH_MAX):
        raise InvalidInput(errors)
    descriptions = (POINTS, EXPERIENCE, CASH, *extra_assets)
    tenant_id, organization_id, *asset_ids = new_ids(2 + len(descriptions))
    assets = tuple(
        Asset(asset_id, asset.code, asset.name, asset.kind, asset.scale)
        for asset_id, asset in zip(asset_ids, descriptions, strict=True)
    )
    tenant = Tenant(tenant_id, name, StandardAssets(*asset_ids[:3]), is_test)
    organization = Organization(organization_id, organization_name)
    now = datetime.now(UTC)
    # Not tried again after a fault, here and below: nothing would tell a second run that the first one committed.
    async with database.operator_transaction() as connection:
        await store.insert_tenant(connection, tenant, now)
        await store.insert_organization(connection, tenant_id, organization, now)
        inserted = await store.insert_assets(connection, tenant_id, assets, now)
        if len(inserted) < len(assets):
            raise AlreadyExists("Two of the assets have the same code.", ("extraAssets",))
    return FoundedTenant(tenant, organization, assets)


async def create_organization(
    database: Database, tenant_id: UUID, name: str, parent_id: UUID | None = None
) -> Organization:
    """Add an organization to a tenant, as a child of another one or beside them. As the operator.

    Raises:
        OperatorNeeded: whoever logged in may not be the operator.
        InvalidInput: the name breaks a rule.
        NotFound: there is no such tenant, or no such parent in it.
    """
    if errors := check_text(name, ("name",), NAME_LENGTH_MAX):
        raise InvalidInput(errors)
    organization = Organization(new_id(), name, parent_id)
    now = datetime.now(UTC)
    async with database.operator_transaction() as connection:
        if await store.fetch_tenant(connection, tenant_id) is None:
            raise NotFound("No such tenant.", ("tenantId",))
        known = await store.fetch_organizations(connection, tenant_id)
        if parent_id is not None and parent_id not in known:
            raise NotFound("No such organization.", ("parentId",))
        await store.insert_organization(connection, tenant_id, organization, now)
    return organization
