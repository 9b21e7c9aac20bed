"""defineCustomField: what issued items may carry (CAP-14)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.issuing.custom_fields import defining
from gateway.issuing.custom_fields import model as domain
from gateway.issuing.custom_fields.defining import DefineCustomField
from gateway.issuing.custom_fields.model import CustomFieldType
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
from resolvers.types.custom_field import CustomField, to_custom_field


@strawberry.input(description="A custom field of the organization.")
class DefineCustomFieldInput:
    """The call's key and the declaration."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    name: str = strawberry.field(description="1 to 64 characters, unique in the organization.")
    type: CustomFieldType = strawberry.field(description="What values it takes; fixed for ever.")
    required: bool | None = strawberry.field(
        default=False, description="Whether every item issued from now on must carry it."
    )
    choices: list[str] | None = strawberry.field(
        default=None, description="ENUM only: 1 to 200 different values of at most 200 characters."
    )


@strawberry.type(description="The custom field, as the first call with this key declared it.")
class DefineCustomFieldPayload:
    """A custom field."""

    custom_field: CustomField = strawberry.field(description="The custom field.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


DefineCustomFieldResult: TypeAlias = Annotated[
    DefineCustomFieldPayload
    | InvalidInput
    | Conflict
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("DefineCustomFieldResult", description="What became of a declaration."),
]


@mutation(
    "Declare a custom field of issued rewards, or change whether it is required and its choices; another type is a conflict.",
    requires=[Scope.CATALOG],
)
async def define_custom_field(
    info: Info,
    input: Annotated[DefineCustomFieldInput, strawberry.argument(description="The declaration.")],
) -> DefineCustomFieldResult:
    """Turn the input into one command and its outcome into a payload."""
    field = domain.CustomField(
        normalize_name(input.name),
        input.type,
        bool(input.required),
        tuple(map(normalize_name, input.choices or ())),
    )
    command = DefineCustomField(input.request_id, field)
    outcome = await defining.define_custom_field(
        info.context.database, info.context.caller, command
    )
    return DefineCustomFieldPayload(
        custom_field=to_custom_field(outcome.field), idempotent_replay=outcome.idempotent_replay
    )
