"""createSegment: a new set of members (CAP-10)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.members.segments import creating
from gateway.members.segments.creating import CreateSegment
from gateway.text import normalize_name
from resolvers.context import Info
from resolvers.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.segment import Segment, to_segment


@strawberry.input(description="A new segment.")
class CreateSegmentInput:
    """The call's key and the segment."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    name: str = strawberry.field(
        description="Name for people: 1 to 200 characters, unique in the organization."
    )


@strawberry.type(description="The segment that the first call with this key made.")
class CreateSegmentPayload:
    """A segment."""

    segment: Segment = strawberry.field(description="The segment.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateSegmentResult: TypeAlias = Annotated[
    CreateSegmentPayload
    | InvalidInput
    | Conflict
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("CreateSegmentResult", description="What became of a new segment."),
]


@mutation(
    "Create a segment; `setSegmentMembers` fills it, and a reward's `segmentIds` reserve the reward for it.",
    requires=[Scope.MEMBERS],
)
async def create_segment(
    info: Info,
    input: Annotated[CreateSegmentInput, strawberry.argument(description="The segment.")],
) -> CreateSegmentResult:
    """Turn the input into one command and its outcome into a payload."""
    command = CreateSegment(input.request_id, normalize_name(input.name))
    outcome = await creating.create_segment(info.context.database, info.context.caller, command)
    return CreateSegmentPayload(
        segment=to_segment(outcome.segment), idempotent_replay=outcome.idempotent_replay
    )
