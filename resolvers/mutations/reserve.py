"""reserve: part of a member's balance is held for a while (CAP-4)."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeAlias

import strawberry

from gateway import errors as domain
from gateway.access import Scope
from gateway.errors import FieldError
from gateway.holding import reserve as holding
from gateway.holding.model import ReserveCommand, check_reserve
from gateway.ids import IdKind, decode_id
from resolvers.context import Info
from resolvers.errors import (
    Forbidden,
    IdempotencyConflict,
    InsufficientBalance,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.hold import Hold, present_hold
from resolvers.types.identifier import MemberRef, to_reference


@strawberry.input(description="An amount to hold.")
class ReserveInput:
    """The call's key, whose balance, how much and for how long."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    member: MemberRef = strawberry.field(description="Whose balance.")
    asset_id: strawberry.ID = strawberry.field(
        description="The GUID of points, a currency or cash."
    )
    amount: Decimal = strawberry.field(description="How much: above 0, exact in the asset.")
    expires_in_seconds: int = strawberry.field(
        description="After how many seconds it ends by itself: 1 to 2,592,000, which is 30 days."
    )
    reason: str | None = strawberry.field(
        default=None, description="At most 256 characters, kept with the hold."
    )


@strawberry.type(description="The amount is held.")
class ReservePayload:
    """The hold."""

    hold: Hold = strawberry.field(description="The hold, as it stands now.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


ReserveResult: TypeAlias = Annotated[
    ReservePayload
    | InvalidInput
    | Forbidden
    | NotFound
    | InsufficientBalance
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("ReserveResult", description="What became of a reservation."),
]


@mutation(
    "Hold part of a member's available balance, so that nothing else can spend it, for a while.",
    requires=[Scope.HOLD],
)
async def reserve(
    info: Info,
    input: Annotated[ReserveInput, strawberry.argument(description="What to hold.")],
) -> ReserveResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    errors: list[FieldError] = []
    command = ReserveCommand(
        request_id=input.request_id,
        member=to_reference(input.member, ("input", "member"), errors),
        asset_id=decode_id(IdKind.ASSET, input.asset_id),
        amount=input.amount,
        expires_in_seconds=input.expires_in_seconds,
        reason=input.reason,
    )
    if errors:
        raise domain.InvalidInput(errors + check_reserve(command))
    outcome = await holding.reserve(context.database, context.caller, command)
    hold = await present_hold(context, outcome.hold)
    return ReservePayload(hold=hold, idempotent_replay=outcome.idempotent_replay)
