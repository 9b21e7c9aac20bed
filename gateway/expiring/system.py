"""What a tenant does by itself: its operations have keys like everybody's, under the tenant's own id as partner."""

from __future__ import annotations

from uuid import UUID

from gateway.access import Caller
from gateway.errors import NotFound
from gateway.ids import new_id
from gateway.operations.model import OperationKind, Request
from gateway.storage.database import Database
from gateway.tenants.store import fetch_organizations, fetch_tenant


async def find_system_caller(database: Database, tenant_id: UUID) -> Caller:
    """Return the tenant as a caller without scopes, in its first organization; two round trips.

    Raises:
        NotFound: there is no such tenant.
    """
    async with database.connection() as connection:
        tenant = await fetch_tenant(connection, tenant_id)
        organizations = await fetch_organizations(connection, tenant_id)
    if tenant is None:
        raise NotFound("No such tenant.")
    return Caller(
        tenant_id=tenant_id,
        organization_id=next(iter(organizations)),
        partner_id=tenant_id,
        scopes=frozenset(),
        standard_assets=tenant.standard_assets,
    )


def new_expiry_request() -> Request:
    """Return the request of one batch: its key is new, because what is due is found again each time."""
    operation_id = new_id()
    return Request(OperationKind.EXPIRE, str(operation_id), {}, operation_id)


class NothingDue(Exception):
    """Others were faster, or everything due is held: nothing is to be written."""
