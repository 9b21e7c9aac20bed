"""setSegmentMembers: who is in a segment (CAP-10)."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id
from gateway.members.membership.model import MemberSet, MembershipChange, SetMembers
from gateway.members.membership.setting import set_members
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation, resolved
from resolvers.types.segment import Segment, load_segment_nodes


@strawberry.input(description="A change of a segment's members.")
class SetSegmentMembersInput:
    """The call's key, the segment, and the members."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    segment_id: strawberry.ID = strawberry.field(description="The segment.")
    change: MembershipChange | None = strawberry.field(
        default=MembershipChange.SET, description="What to do with the members named."
    )
    member_ids: list[strawberry.ID] = strawberry.field(
        description="Members: `mem_…`, at most 10,000; repeated ones count once."
    )


@strawberry.type(description="The segment, and what the first call with this key changed.")
class SetSegmentMembersPayload:
    """What came and went."""

    segment_id: strawberry.Private[UUID]

    added_count: int = strawberry.field(description="How many members came.")
    removed_count: int = strawberry.field(description="How many members went.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )

    @resolved("The segment, as it is now. Null if that cannot be read now.")
    async def segment(self, info: Info) -> Segment | None:
        """Load the segment: what was done is answered all the same if that fails."""
        (segment,) = await load_segment_nodes(info.context, [self.segment_id])
        return segment if isinstance(segment, Segment) else None


SetSegmentMembersResult: TypeAlias = Annotated[
    SetSegmentMembersPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("SetSegmentMembersResult", description="What became of a segment's members."),
]


@mutation(
    "Set, add or remove members of a segment, up to 10,000 in a call, all or none.",
    requires=[Scope.MEMBERS],
)
async def set_segment_members(
    info: Info,
    input: Annotated[SetSegmentMembersInput, strawberry.argument(description="What to change.")],
) -> SetSegmentMembersResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    command = SetMembers(
        request_id=input.request_id,
        kind=MemberSet.SEGMENT,
        set_id=decode_id(IdKind.SEGMENT, input.segment_id),
        change=input.change or MembershipChange.SET,
        member_ids=[decode_id(IdKind.MEMBER, member_id) for member_id in input.member_ids],
    )
    outcome = await set_members(context.database, context.caller, command)
    return SetSegmentMembersPayload(
        segment_id=outcome.set_id,
        added_count=outcome.added_count,
        removed_count=outcome.removed_count,
        idempotent_replay=outcome.idempotent_replay,
    )
