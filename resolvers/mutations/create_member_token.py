"""createMemberToken: a short-lived token for one member's app."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError as DomainFieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.signing_in import create_member_token as signing_in
from gateway.signing_in.create_member_token import SECONDS_DEFAULT, CreateMemberToken
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


@strawberry.input(description="Whose token, and for how long.")
class CreateMemberTokenInput:
    """The call's key and the member."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    member: MemberRef = strawberry.field(
        description="Whose token: your server has made sure that it is this member who asks."
    )
    valid_seconds: int | None = strawberry.field(
        default=SECONDS_DEFAULT, description="How long it is good: 1 to 3,600 seconds."
    )


@strawberry.type(description="A token with which a member sees and claims what is their own.")
class CreateMemberTokenPayload:
    """A token and its end."""

    token: str | None = strawberry.field(
        description="What the member's app sends as `Authorization: Bearer …`, this once: only a hash of it is kept, so a replay "
        "has null. Whoever lost it asks for another one under a new key."
    )
    credential_id: strawberry.ID = strawberry.field(
        description="Its id, as logs and operations name it."
    )
    expires_at: datetime = strawberry.field(description="When it ends.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateMemberTokenResult: TypeAlias = Annotated[
    CreateMemberTokenPayload
    | InvalidInput
    | Forbidden
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("CreateMemberTokenResult", description="What became of a member's token."),
]


@mutation(
    "Make a token for one member, good for at most an hour.",
    requires=[Scope.SIGN_IN],
)
async def create_member_token(
    info: Info,
    input: Annotated[
        CreateMemberTokenInput, strawberry.argument(description="Whose, and for how long.")
    ],
) -> CreateMemberTokenResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    errors: list[DomainFieldError] = []
    command = CreateMemberToken(
        request_id=input.request_id,
        member=to_reference(input.member, ("input", "member"), errors),
        valid_seconds=SECONDS_DEFAULT if input.valid_seconds is None else input.valid_seconds,
    )
    if errors:
        raise DomainInvalidInput([*signing_in.check_command(command), *errors])
    outcome = await signing_in.create_member_token(context.database, context.caller, command)
    return CreateMemberTokenPayload(
        token=outcome.token,
        credential_id=strawberry.ID(str(outcome.credential_id)),
        expires_at=outcome.expires_at,
        idempotent_replay=outcome.idempotent_replay,
    )
