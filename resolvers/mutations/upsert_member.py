"""upsertMember: create a member, or bring the one with these identifiers up to date."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError as DomainFieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.members import upserting
from gateway.members.upserting import UpsertMember
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
from resolvers.types.identifier import MemberIdentifierInput, to_identifier
from resolvers.types.member import Member, to_member


@strawberry.input(description="Who the member is.")
class UpsertMemberInput:
    """The call's key, the member's identifiers and name."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    identifiers: list[MemberIdentifierInput] = strawberry.field(
        description=(
            "1 to 20 identifiers. If a member has one of them, that member gets the others; if nobody has any, a member "
            "is created; if two members have some, it is a conflict."
        )
    )
    display_name: str | None = strawberry.field(
        default=None,
        description="What to call the member: 1 to 200 characters. Left out, a stored name stays.",
    )


@strawberry.type(description="The member who has the identifiers now.")
class UpsertMemberPayload:
    """A member, and whether this key created it."""

    member: Member = strawberry.field(description="The member, as it is now.")
    was_created: bool = strawberry.field(
        description="True if the first call with this key created the member; false if it existed."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


UpsertMemberResult: TypeAlias = Annotated[
    UpsertMemberPayload
    | InvalidInput
    | Forbidden
    | Conflict
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("UpsertMemberResult", description="What became of a member."),
]


@mutation(
    "Create a member, or give more identifiers or a name to the one who has some of these.",
    requires=[Scope.MEMBERS],
)
async def upsert_member(
    info: Info,
    input: Annotated[UpsertMemberInput, strawberry.argument(description="Who the member is.")],
) -> UpsertMemberResult:
    """Turn the input into one command and its outcome into a payload."""
    errors: list[DomainFieldError] = []
    identifiers = tuple(
        to_identifier(given, ("input", "identifiers", str(index)), errors)
        for index, given in enumerate(input.identifiers)
    )
    command = UpsertMember(input.request_id, identifiers, input.display_name)
    if errors:
        raise DomainInvalidInput([*upserting.check_command(command), *errors])
    outcome = await upserting.upsert_member(info.context.database, info.context.caller, command)
    return UpsertMemberPayload(
        member=to_member(info.context, outcome.member_id),
        was_created=outcome.was_created,
        idempotent_replay=outcome.idempotent_replay,
    )
