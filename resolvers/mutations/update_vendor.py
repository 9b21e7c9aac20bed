"""updateVendor: change what is named of a vendor (CAP-5)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.ids import IdKind, decode_id
from gateway.storage.pages import ID_LOWEST
from gateway.vendors import updating
from gateway.vendors.model import VendorFields
from gateway.vendors.updating import UpdateVendor
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.scalars import JSON
from resolvers.types.vendor import (
    SecretHeaderInput,
    Vendor,
    VendorResponseMappingInput,
    to_mapping,
    to_secret_header,
    to_vendor,
)


@strawberry.input(
    description="What to change of a vendor. A field that is left out stays; null is for the secret header only."
)
class UpdateVendorInput:
    """The call's key, the vendor and the fields to change."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    id: strawberry.ID = strawberry.field(description="The vendor: `vnd_…`.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="Name for people: 1 to 200 characters."
    )
    endpoint: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Where new orders are posted to; scheme, host and port must stay as they are.",
    )
    request_template: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description="What is posted for new orders. One that sent `{quantity}` must go on sending it.",
    )
    response_mapping: VendorResponseMappingInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="Where in answers things stand, from now on, for open orders too.",
    )
    secret_header: SecretHeaderInput | None = strawberry.field(
        default=strawberry.UNSET,
        description="The secret from now on, for open orders too; null takes it away.",
    )
    timeout_seconds: int | None = strawberry.field(
        default=strawberry.UNSET, description="How long one call may take: 1 to 30 seconds."
    )


@strawberry.type(description="The vendor, as the first call with this key left it.")
class UpdateVendorPayload:
    """A vendor."""

    vendor: Vendor = strawberry.field(description="The vendor.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


UpdateVendorResult: TypeAlias = Annotated[
    UpdateVendorPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("UpdateVendorResult", description="What became of a change."),
]


@mutation(
    "Change what is named of a vendor. Open orders go on with the request they were made with.",
    requires=[Scope.CATALOG],
)
async def update_vendor(
    info: Info,
    input: Annotated[UpdateVendorInput, strawberry.argument(description="What to change.")],
) -> UpdateVendorResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    _refuse_nulls(input)
    mapping, header = input.response_mapping or None, input.secret_header or None
    fields = VendorFields(
        name=_named(input.name),
        endpoint=_named(input.endpoint),
        request_template=None
        if input.request_template is strawberry.UNSET
        else input.request_template,
        response_mapping=to_mapping(mapping) if mapping else None,
        secret_header=to_secret_header(header) if header else None,
        removes_secret=input.secret_header is None,
        timeout_seconds=None
        if input.timeout_seconds is strawberry.UNSET
        else input.timeout_seconds,
    )
    vendor_id = decode_id(IdKind.VENDOR, input.id) or ID_LOWEST
    command = UpdateVendor(input.request_id, vendor_id, fields)
    outcome = await updating.update_vendor(
        context.database, context.caller, command, context.vendor_security
    )
    return UpdateVendorPayload(
        vendor=to_vendor(outcome.vendor), idempotent_replay=outcome.idempotent_replay
    )


def _named(given: str | None) -> str | None:
    return None if given is strawberry.UNSET else given


def _refuse_nulls(input: UpdateVendorInput) -> None:
    needed = {
        "name": input.name,
        "endpoint": input.endpoint,
        "requestTemplate": input.request_template,
        "responseMapping": input.response_mapping,
        "timeoutSeconds": input.timeout_seconds,
    }
    errors = [
        FieldError(("input", name), "required", f"{name} must not be null.")
        for name, value in needed.items()
        if value is None
    ]
    if errors:
        raise DomainInvalidInput(errors)
