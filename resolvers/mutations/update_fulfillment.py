"""updateFulfillment: a grant at another stage (CAP-15)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id
from gateway.issuing.fulfillment import updating
from gateway.issuing.fulfillment.updating import UpdateFulfillment
from gateway.text import normalize_name
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.grant import Grant, to_grant


@strawberry.input(description="A grant and the stage that it came to.")
class UpdateFulfillmentInput:
    """The call's key, the grant and the stage."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    grant_id: strawberry.ID = strawberry.field(description="The grant: `XT_…`.")
    stage: str = strawberry.field(description="A stage that the organization has declared.")
    note: str | None = strawberry.field(
        default=None, description="What to note with the step: at most 1,000 characters."
    )


@strawberry.type(description="The grant, which is at that stage or has moved on since.")
class UpdateFulfillmentPayload:
    """A grant."""

    grant: Grant = strawberry.field(description="The grant, as it is now.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


UpdateFulfillmentResult: TypeAlias = Annotated[
    UpdateFulfillmentPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("UpdateFulfillmentResult", description="What became of a move."),
]


@mutation(
    "Move a grant to a stage of fulfillment; it remembers where it was.", requires=[Scope.ISSUE]
)
async def update_fulfillment(
    info: Info,
    input: Annotated[UpdateFulfillmentInput, strawberry.argument(description="What came where.")],
) -> UpdateFulfillmentResult:
    """Turn the input into one command and its outcome into a payload."""
    command = UpdateFulfillment(
        input.request_id,
        decode_id(IdKind.GRANT, input.grant_id),
        normalize_name(input.stage),
        input.note,
    )
    outcome = await updating.update_fulfillment(info.context.database, info.context.caller, command)
    return UpdateFulfillmentPayload(
        grant=to_grant(outcome.grant), idempotent_replay=outcome.idempotent_replay
    )
