"""Which organisations are connected: those above and below each other in a tenant's tree (CAP-13)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from uuid import UUID

from gateway.errors import FieldError
from gateway.storage.database import Database
from gateway.tenants.model import Organisation
from gateway.tenants.store import fetch_organisations


async def check_reach(
    database: Database, tenant_id: UUID, organisation_id: UUID, wanted: frozenset[UUID]
) -> list[FieldError]:
    """Return the broken rule if a credential of an organisation could not reach all of these; one round trip at most."""
    if not wanted:
        return []
    async with database.connection() as connection:
        organisations = await fetch_organisations(connection, tenant_id)
    if wanted <= connected_to(organisations, organisation_id):
        return []
    message = "reach must name organisations above or below the credential's own."
    return [FieldError(("reach",), "connected", message)]


def connected_to(organisations: Mapping[UUID, Organisation], organisation_id: UUID) -> set[UUID]:
    """Return an organisation with all those above it and all those below it."""
    above = set(_climb(organisations, organisation_id))
    below = {one for one in organisations if organisation_id in set(_climb(organisations, one))}
    return above | below


def _climb(organisations: Mapping[UUID, Organisation], organisation_id: UUID) -> Iterator[UUID]:
    # A parent is there before its child and never changes, so there is no circle to run in.
    current = organisations.get(organisation_id)
    while current is not None:
        yield current.id
        current = organisations.get(current.parent_id) if current.parent_id else None
