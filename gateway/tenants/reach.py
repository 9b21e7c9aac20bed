"""Which organizations are connected: those above and below each other in a tenant's tree (CAP-13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from gateway.errors import FieldError
from gateway.storage.database import Database
from gateway.tenants.model import Organization
from gateway.tenants.store import fetch_organizations


async def check_reach(
    database: Database, tenant_id: UUID, organization_id: UUID, wanted: frozenset[UUID]
) -> list[FieldError]:
    """Return the broken rule if a credential of an organization could not reach all of these; one round trip at most."""
    if not wanted:
        return []
    async with database.connection() as connection:
        organizations = await fetch_organizations(connection, tenant_id)
    if wanted <= connected_to(organizations, organization_id):
        return []
    message = "reach must name organizations above or below the credential's own."
    return [FieldError(("reach",), "connected", message)]


def connected_to(organizations: Mapping[UUID, Organization], organization_id: UUID) -> set[UUID]:
    """Return an organization with all those above it and all those below it."""
    above = set(_climb(organizations, organization_id))
    below = {one for one in organizations if organization_id in set(_climb(organizations, one))}
    return above | below


def _climb(organizations: Mapping[UUID, Organization], organization_id: UUID) -> Iterator[UUID]:
    # A parent is there before its child and never changes, so there is no circle to run in.
    current = organizations.get(organization_id)
    while current is not None:
        yield current.id
        current = organizations.get(current.parent_id) if current.parent_id else None
