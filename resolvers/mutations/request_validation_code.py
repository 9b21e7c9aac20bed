"""requestValidationCode: a code of a member for a till (CAP-16)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError as DomainFieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.ids import IdKind, decode_id
from gateway.issuing.tills import requesting
from gateway.issuing.tills.model import SECONDS_DEFAULT
from gateway.issuing.tills.requesting import RequestCode
from gateway.operations.model import check_key
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.identifier import MemberRef, to_reference


@strawberry.input(description="Whose code, and for which till.")
class RequestValidationCodeInput:
    """The call's key, the till and the member."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    till_id: strawberry.ID = strawberry.field(description="The till: `till_…`.")
    member: MemberRef | None = strawberry.field(
        default=None,
        description="Whose code: required for a partner, left out by a member, who asks for themselves.",
    )
    valid_seconds: int | None = strawberry.field(
        default=SECONDS_DEFAULT, description="How long it can be used: 1 to 3,600 seconds."
    )


@strawberry.type(description="A code that can be used once.")
class RequestValidationCodePayload:
    """A code and its end."""

    validation_code: str | None = strawberry.field(
        description="The code, this once: only a hash of it is kept, so a replay has null."
    )
    expires_at: datetime = strawberry.field(description="When it can be used no more.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


RequestValidationCodeResult: TypeAlias = Annotated[
    RequestValidationCodePayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("RequestValidationCodeResult", description="What became of a code."),
]


@mutation(
    "Make a one-time code with which a member confirms what a till issues to them.",
    requires=[Scope.MEMBER, Scope.MEMBERS],
)
async def request_validation_code(
    info: Info,
    input: Annotated[
        RequestValidationCodeInput, strawberry.argument(description="Whose code, and where.")
    ],
) -> RequestValidationCodeResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    errors: list[DomainFieldError] = check_key(input.request_id, ("input", "requestId"))
    command = RequestCode(
        request_id=input.request_id,
        till_id=decode_id(IdKind.TILL, input.till_id),
        member=to_reference(input.member, ("input", "member"), errors) if input.member else None,
        valid_seconds=SECONDS_DEFAULT if input.valid_seconds is None else input.valid_seconds,
    )
    if errors:
        raise DomainInvalidInput(errors)
    outcome = await requesting.request_validation_code(context.database, context.caller, command)
    return RequestValidationCodePayload(
        validation_code=outcome.code,
        expires_at=outcome.expires_at,
        idempotent_replay=outcome.idempotent_replay,
    )
