"""linkIdentifier: one more way to name a member."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError as DomainFieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.members import linking
from gateway.members.linking import LinkIdentifier
from gateway.operations.model import check_key
from resolvers.context import Info
from resolvers.errors import (
    Conflict,
    Forbidden,
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.identifier import (
    MemberIdentifierInput,
    MemberRef,
    to_identifier,
    to_reference,
)
from resolvers.types.member import Member, to_member


@strawberry.input(description="A member and an identifier to give to it.")
class LinkIdentifierInput:
    """The call's key, the member and the identifier."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    member: MemberRef = strawberry.field(description="Who gets the identifier.")
    identifier: MemberIdentifierInput = strawberry.field(
        description="The identifier. A member has at most 50."
    )


@strawberry.type(description="The member, who has the identifier now.")
class LinkIdentifierPayload:
    """A member."""

    member: Member = strawberry.field(description="The member, as it is now.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


LinkIdentifierResult: TypeAlias = Annotated[
    LinkIdentifierPayload
    | InvalidInput
    | Forbidden
    | NotFound
    | Conflict
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("LinkIdentifierResult", description="What became of a link."),
]


@mutation(
    "Give a member one more identifier; one that another member has is a conflict.",
    requires=[Scope.MEMBERS],
)
async def link_identifier(
    info: Info,
    input: Annotated[
        LinkIdentifierInput, strawberry.argument(description="Which identifier for whom.")
    ],
) -> LinkIdentifierResult:
    """Turn the input into one command and its outcome into a payload."""
    errors: list[DomainFieldError] = check_key(input.request_id, ("input", "requestId"))
    command = LinkIdentifier(
        input.request_id,
        to_reference(input.member, ("input", "member"), errors),
        to_identifier(input.identifier, ("input", "identifier"), errors),
    )
    if errors:
        raise DomainInvalidInput(errors)
    outcome = await linking.link_identifier(info.context.database, info.context.caller, command)
    return LinkIdentifierPayload(
        member=to_member(info.context, outcome.member_id),
        idempotent_replay=outcome.idempotent_replay,
    )
