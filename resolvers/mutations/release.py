"""release: a hold is set free (CAP-4)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.holding import ending
from gateway.holding.model import ReleaseCommand
from gateway.ids import IdKind, decode_id
from resolvers.context import Info
from resolvers.errors import (
    HoldEnded,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.hold import Hold, present_hold


@strawberry.input(description="A hold to set free.")
class ReleaseInput:
    """The call's key and the hold."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    hold_id: strawberry.ID = strawberry.field(description="The hold: `hold_…`.")


@strawberry.type(description="The hold, released.")
class ReleasePayload:
    """The hold."""

    hold: Hold = strawberry.field(description="The hold, with status RELEASED.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


ReleaseResult: TypeAlias = Annotated[
    ReleasePayload
    | InvalidInput
    | NotFound
    | HoldEnded
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("ReleaseResult", description="What became of a release."),
]


@mutation("Set a hold free, once: its amount is available again.", requires=[Scope.HOLD])
async def release(
    info: Info,
    input: Annotated[ReleaseInput, strawberry.argument(description="Which hold to set free.")],
) -> ReleaseResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    command = ReleaseCommand(input.request_id, decode_id(IdKind.HOLD, input.hold_id))
    outcome = await ending.release(context.database, context.caller, command)
    hold = await present_hold(context, outcome.hold)
    return ReleasePayload(hold=hold, idempotent_replay=outcome.idempotent_replay)
