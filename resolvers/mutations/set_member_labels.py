"""setMemberLabels: a member's labels (CAP-11)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError as DomainFieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.members.standing import setting
from gateway.members.standing.model import Link, StandingKind, StandingStatus
from gateway.members.standing.setting import SetStanding
from gateway.text import normalize_name
from resolvers.context import Info
from resolvers.errors import (
    Forbidden,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.identifier import MemberRef, to_reference
from resolvers.types.member import Member, to_member
from resolvers.types.standing import MemberLabelInput


@strawberry.input(description="A member and all of their labels.")
class SetMemberLabelsInput:
    """The call's key, the member and the labels."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    member: MemberRef = strawberry.field(description="Whose labels they are.")
    labels: list[MemberLabelInput] = strawberry.field(
        description="All labels that the member has from now on, at most 100; those left out are taken away."
    )


@strawberry.type(description="The member, who has these labels now.")
class SetMemberLabelsPayload:
    """A member."""

    member: Member = strawberry.field(description="The member, as it is now.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


SetMemberLabelsResult: TypeAlias = Annotated[
    SetMemberLabelsPayload
    | InvalidInput
    | Forbidden
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("SetMemberLabelsResult", description="What became of a member's labels."),
]


@mutation("Say which labels a member has.", requires=[Scope.MEMBERS])
async def set_member_labels(
    info: Info,
    input: Annotated[
        SetMemberLabelsInput, strawberry.argument(description="Which labels for whom.")
    ],
) -> SetMemberLabelsResult:
    """Turn the input into one command and its outcome into a payload."""
    errors: list[DomainFieldError] = []
    command = SetStanding(
        request_id=input.request_id,
        kind=StandingKind.LABEL,
        member=to_reference(input.member, ("input", "member"), errors),
        links=[
            Link(normalize_name(label.name), label.status or StandingStatus.ACTIVE)
            for label in input.labels
        ],
    )
    if errors:
        raise DomainInvalidInput([*setting.check_command(command), *errors])
    outcome = await setting.set_standing(info.context.database, info.context.caller, command)
    return SetMemberLabelsPayload(
        member=to_member(info.context, outcome.member_id),
        idempotent_replay=outcome.idempotent_replay,
    )
