"""Organizations of a tenant, as far as a credential reaches (CAP-13)."""

from __future__ import annotations

from collections.abc import Iterable

import strawberry

from gateway.ids import IdKind, decode_id, encode_id
from gateway.tenants import model as domain
from gateway.tenants.model import OrganizationReference


@strawberry.type(description="An organization that the credential works for.")
class Organization:
    """A name and a place in the tenant's tree."""

    id: strawberry.ID = strawberry.field(description="`org_…`.")
    name: str = strawberry.field(description="Name for people.")
    parent_org_id: strawberry.ID | None = strawberry.field(
        description="The organization above it; null if there is none."
    )
    is_own: bool = strawberry.field(
        description="Whether it is the credential's own; the others need `dataScope: OTHER`."
    )


def to_organization_references(public_ids: Iterable[str]) -> tuple[OrganizationReference, ...]:
    """Return the organizations as a caller wrote them; an id that is none names none."""
    return tuple(
        OrganizationReference(decode_id(IdKind.ORGANIZATION, public_id), str(public_id))
        for public_id in public_ids
    )


def to_organization(organization: domain.Organization, *, is_own: bool) -> Organization:
    """Return an organization as its GraphQL type."""
    parent_id = organization.parent_id
    return Organization(
        id=strawberry.ID(encode_id(IdKind.ORGANIZATION, organization.id)),
        name=organization.name,
        parent_org_id=(
            strawberry.ID(encode_id(IdKind.ORGANIZATION, parent_id)) if parent_id else None
        ),
        is_own=is_own,
    )
