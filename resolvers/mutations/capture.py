"""capture: a hold is taken, whole or in part (CAP-4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.holding import ending
from gateway.holding.model import CaptureCommand
from gateway.ids import IdKind, decode_id
from resolvers.context import Info
from resolvers.errors import (
    Forbidden,
    HoldEnded,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.hold import Hold, present_hold


@strawberry.input(description="A hold to take.")
class CaptureInput:
    """The call's key, the hold and how much of it."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    hold_id: strawberry.ID = strawberry.field(description="The hold: `hold_…`.")
    amount: Decimal | None = strawberry.field(
        default=None,
        description="How much of it: at most what is held, all of it if left out. The rest is available again.",
    )


@strawberry.type(description="The hold, captured.")
class CapturePayload:
    """The hold."""

    hold: Hold = strawberry.field(description="The hold, with status CAPTURED.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CaptureResult: TypeAlias = Annotated[
    CapturePayload
    | InvalidInput
    | Forbidden
    | NotFound
    | HoldEnded
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("CaptureResult", description="What became of a capture."),
]


@mutation(
    "Take a hold, whole or in part, once: the amount leaves the member.", requires=[Scope.HOLD]
)
async def capture(
    info: Info,
    input: Annotated[CaptureInput, strawberry.argument(description="Which hold to take.")],
) -> CaptureResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    hold_id = decode_id(IdKind.HOLD, input.hold_id)
    command = CaptureCommand(input.request_id, hold_id, input.amount)
    outcome = await ending.capture(context.database, context.caller, command)
    hold = await present_hold(context, outcome.hold)
    return CapturePayload(hold=hold, idempotent_replay=outcome.idempotent_replay)
