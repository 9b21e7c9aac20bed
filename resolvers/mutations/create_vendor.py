"""createVendor: who sells vouchers over HTTP, how to ask and how to read the answer (CAP-5)."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.vendors import creating
from gateway.vendors.creating import CreateVendor
from gateway.vendors.model import VendorFields
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
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


@strawberry.input(description="A new vendor.")
class CreateVendorInput:
    """The call's key and the vendor."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    name: str = strawberry.field(description="Name for people: 1 to 200 characters.")
    endpoint: str = strawberry.field(
        description="Where orders are posted to: a public https address of at most 2,048 characters."
    )
    request_template: JSON = strawberry.field(
        description=(
            "What is posted: a JSON object of at most 16 KiB. In its texts `{orderId}`, which must be there, "
            "`{organizationId}`, `{memberId}`, `{memberExternalId}`, `{rewardId}`, `{offerName}`, `{seriesId}` and "
            "`{quantity}` are replaced. A text that is nothing but a placeholder becomes the value itself, or null."
        )
    )
    response_mapping: VendorResponseMappingInput = strawberry.field(
        description="Where in the answer things stand."
    )
    secret_header: SecretHeaderInput | None = strawberry.field(
        default=None, description="A header that proves to the vendor who is asking."
    )
    timeout_seconds: int = strawberry.field(
        default=5, description="How long one call may take: 1 to 30 seconds."
    )


@strawberry.type(description="The vendor that the first call with this key made.")
class CreateVendorPayload:
    """A vendor."""

    vendor: Vendor = strawberry.field(description="The vendor.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateVendorResult: TypeAlias = Annotated[
    CreateVendorPayload | InvalidInput | IdempotencyConflict | RequestInProgress | Overloaded,
    strawberry.union("CreateVendorResult", description="What became of a new vendor."),
]


@mutation(
    "Make a vendor known; rewards of type `vendorVoucher` are bought from it.",
    requires=[Scope.CATALOG],
)
async def create_vendor(
    info: Info,
    input: Annotated[CreateVendorInput, strawberry.argument(description="The vendor.")],
) -> CreateVendorResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    header = input.secret_header
    fields = VendorFields(
        name=input.name,
        endpoint=input.endpoint,
        request_template=input.request_template,
        response_mapping=to_mapping(input.response_mapping),
        secret_header=to_secret_header(header) if header else None,
        timeout_seconds=input.timeout_seconds,
    )
    command = CreateVendor(input.request_id, fields)
    outcome = await creating.create_vendor(
        context.database, context.caller, command, context.vendor_security
    )
    return CreateVendorPayload(
        vendor=to_vendor(outcome.vendor), idempotent_replay=outcome.idempotent_replay
    )
