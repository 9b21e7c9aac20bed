"""setGroupMembers: who is in a group (CAP-12)."""

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
    Forbidden,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation, resolved
from resolvers.types.group import Group, load_group


@strawberry.input(description="A change of a group's members.")
class SetGroupMembersInput:
    """The call's key, the group, and the members."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    group_id: strawberry.ID = strawberry.field(description="The group.")
    change: MembershipChange | None = strawberry.field(
        default=MembershipChange.SET,
        description="What to do with the members named. The primary member of a group stays in it.",
    )
    member_ids: list[strawberry.ID] = strawberry.field(
        description="Members: `mem_…`, at most 10,000; repeated ones count once."
    )


@strawberry.type(description="The group, and what the first call with this key changed.")
class SetGroupMembersPayload:
    """What came and went."""

    group_id: strawberry.Private[UUID]

    added_count: int = strawberry.field(description="How many members came.")
    removed_count: int = strawberry.field(description="How many members went.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )

    @resolved("The group, as it is now. Null if that cannot be read now.")
    async def group(self, info: Info) -> Group | None:
        """Load the group: what was done is answered all the same if that fails."""
        return await load_group(info.context, self.group_id)


SetGroupMembersResult: TypeAlias = Annotated[
    SetGroupMembersPayload
    | InvalidInput
    | Forbidden
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("SetGroupMembersResult", description="What became of a group's members."),
]


@mutation(
    "Set, add or remove members of a group, up to 10,000 in a call, all or none.",
    requires=[Scope.MEMBERS],
)
async def set_group_members(
    info: Info,
    input: Annotated[SetGroupMembersInput, strawberry.argument(description="What to change.")],
) -> SetGroupMembersResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    command = SetMembers(
        request_id=input.request_id,
        kind=MemberSet.GROUP,
        set_id=decode_id(IdKind.GROUP, input.group_id),
        change=input.change or MembershipChange.SET,
        member_ids=[decode_id(IdKind.MEMBER, member_id) for member_id in input.member_ids],
    )
    outcome = await set_members(context.database, context.caller, command)
    return SetGroupMembersPayload(
        group_id=outcome.set_id,
        added_count=outcome.added_count,
        removed_count=outcome.removed_count,
        idempotent_replay=outcome.idempotent_replay,
    )
