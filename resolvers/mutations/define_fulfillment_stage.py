"""defineFulfillmentStage: a stage of fulfillment (CAP-15)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.issuing.fulfillment import defining
from gateway.issuing.fulfillment.defining import DefineStage
from gateway.text import normalize_name
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.fulfillment import FulfillmentStage, to_stage


@strawberry.input(description="A stage of the organization's fulfillment.")
class DefineFulfillmentStageInput:
    """The call's key and the stage."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    name: str = strawberry.field(description="1 to 64 characters, unique in the organization.")
    position: int | None = strawberry.field(
        default=None,
        description="Its place, from 1: stages are in order of it. Left out, a new stage is the last one.",
    )


@strawberry.type(description="The stage, as the first call with this key left it.")
class DefineFulfillmentStagePayload:
    """A stage."""

    stage: FulfillmentStage = strawberry.field(description="The stage.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


DefineFulfillmentStageResult: TypeAlias = Annotated[
    DefineFulfillmentStagePayload
    | InvalidInput
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("DefineFulfillmentStageResult", description="What became of a stage."),
]


@mutation(
    "Declare a stage of fulfillment, or move one to another place. New grants begin at the first.",
    requires=[Scope.CATALOG],
)
async def define_fulfillment_stage(
    info: Info,
    input: Annotated[DefineFulfillmentStageInput, strawberry.argument(description="The stage.")],
) -> DefineFulfillmentStageResult:
    """Turn the input into one command and its outcome into a payload."""
    command = DefineStage(input.request_id, normalize_name(input.name), input.position)
    outcome = await defining.define_fulfillment_stage(
        info.context.database, info.context.caller, command
    )
    return DefineFulfillmentStagePayload(
        stage=to_stage(outcome.stage), idempotent_replay=outcome.idempotent_replay
    )
