"""createGroup: a new group of members (CAP-12)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError as DomainFieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.members.groups import creating
from gateway.members.groups.creating import CreateGroup
from resolvers.context import Info
from resolvers.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.group import Group, to_group
from resolvers.types.identifier import MemberRef, to_reference


@strawberry.input(description="A new group.")
class CreateGroupInput:
    """The call's key and the group."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    primary_member: MemberRef = strawberry.field(
        description="Who stands for the group; is one of its members, and of no other group the primary one."
    )
    members: list[MemberRef] | None = strawberry.field(
        default=None, description="The other members, at most 1,000."
    )
    external_id: str | None = strawberry.field(
        default=None,
        description="The id in your own system: 1 to 128 characters, unique in the tenant.",
    )
    name: str | None = strawberry.field(
        default=None, description="Name for people: 1 to 200 characters."
    )


@strawberry.type(description="The group that the first call with this key made.")
class CreateGroupPayload:
    """A group."""

    group: Group = strawberry.field(description="The group, as it is now.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateGroupResult: TypeAlias = Annotated[
    CreateGroupPayload
    | InvalidInput
    | Conflict
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("CreateGroupResult", description="What became of a new group."),
]


@mutation(
    "Create a group of members who pay together; `fundGroup` fills its account.",
    requires=[Scope.MEMBERS],
)
async def create_group(
    info: Info,
    input: Annotated[CreateGroupInput, strawberry.argument(description="The group.")],
) -> CreateGroupResult:
    """Turn the input into one command and its outcome into a payload."""
    errors: list[DomainFieldError] = []
    command = CreateGroup(
        request_id=input.request_id,
        primary_member=to_reference(input.primary_member, ("input", "primaryMember"), errors),
        members=[
            to_reference(member, ("input", "members", str(index)), errors)
            for index, member in enumerate(input.members or ())
        ],
        external_id=input.external_id,
        name=input.name,
    )
    if errors:
        raise DomainInvalidInput([*creating.check_command(command), *errors])
    outcome = await creating.create_group(info.context.database, info.context.caller, command)
    return CreateGroupPayload(
        group=to_group(outcome.group), idempotent_replay=outcome.idempotent_replay
    )
