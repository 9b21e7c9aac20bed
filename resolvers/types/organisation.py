"""Organisations of a tenant, as far as a credential reaches (CAP-13)."""

from __future__ import annotations

import strawberry

from gateway.ids import IdKind, encode_id
from gateway.tenants import model as domain


@strawberry.type(description="An organisation that the credential works for.")
class Organisation:
    """A name and a place in the tenant's tree."""

    id: strawberry.ID = strawberry.field(description="`org_…`.")
    name: str = strawberry.field(description="Name for people.")
    parent_org_id: strawberry.ID | None = strawberry.field(
        description="The organisation above it; null if there is none."
    )
    is_own: bool = strawberry.field(
        description="Whether it is the credential's own; the others need `dataScope: OTHER`."
    )


def to_organisation(organisation: domain.Organisation, *, is_own: bool) -> Organisation:
    """Return an organisation as its GraphQL type."""
    parent_id = organisation.parent_id
    return Organisation(
        id=strawberry.ID(encode_id(IdKind.ORGANISATION, organisation.id)),
        name=organisation.name,
        parent_org_id=(
            strawberry.ID(encode_id(IdKind.ORGANISATION, parent_id)) if parent_id else None
        ),
        is_own=is_own,
    )
