"""createTill: a till that asks for codes (CAP-16)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id
from gateway.issuing.tills import creating
from gateway.issuing.tills.creating import CreateTill
from gateway.tenants.model import OrganizationReference
from gateway.text import normalize_name
from resolvers.context import Info
from resolvers.errors import (
    Conflict,
    Forbidden,
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.till import Till, to_till


@strawberry.input(description="A new till.")
class CreateTillInput:
    """The call's key and the till."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    name: str = strawberry.field(
        description="What `issueRewards` will name it by: 1 to 200 characters, unique in the organization."
    )
    org_id: strawberry.ID | None = strawberry.field(
        default=None,
        description="Whose till it is, within the credential's reach; the credential's own organization if left out.",
    )


@strawberry.type(description="The till that the first call with this key declared.")
class CreateTillPayload:
    """A till."""

    till: Till = strawberry.field(description="The till.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateTillResult: TypeAlias = Annotated[
    CreateTillPayload
    | InvalidInput
    | Forbidden
    | Conflict
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("CreateTillResult", description="What became of a new till."),
]


@mutation(
    "Declare a till: from then on every issuance of the organization is made at one of its tills, with a validation code of the member.",
    requires=[Scope.CATALOG],
)
async def create_till(
    info: Info,
    input: Annotated[CreateTillInput, strawberry.argument(description="The till.")],
) -> CreateTillResult:
    """Turn the input into one command and its outcome into a payload."""
    organization = None
    if input.org_id is not None:
        organization_id = decode_id(IdKind.ORGANIZATION, input.org_id)
        organization = OrganizationReference(organization_id, input.org_id)
    command = CreateTill(input.request_id, normalize_name(input.name), organization)
    outcome = await creating.create_till(info.context.database, info.context.caller, command)
    return CreateTillPayload(
        till=to_till(outcome.till), idempotent_replay=outcome.idempotent_replay
    )
