"""Tills (CAP-16)."""

from __future__ import annotations

from datetime import datetime

import strawberry

from gateway.ids import IdKind, encode_id
from gateway.issuing.tills import model as domain


@strawberry.type(description="A till. Issuing there takes a validation code of the member.")
class Till:
    """A name in an organization."""

    id: strawberry.ID = strawberry.field(description="`till_…`.")
    org_id: strawberry.ID = strawberry.field(description="The organization whose till it is.")
    name: str = strawberry.field(description="What `issueRewards` names it by.")
    created_at: datetime = strawberry.field(description="When it was declared.")


def to_till(till: domain.Till) -> Till:
    """Return a till as its GraphQL type."""
    return Till(
        id=strawberry.ID(encode_id(IdKind.TILL, till.id)),
        org_id=strawberry.ID(encode_id(IdKind.ORGANIZATION, till.organization_id)),
        name=till.name,
        created_at=till.created_at,
    )
