"""createAsset: something new to count, such as a currency."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

import strawberry

from gateway.access import Scope
from gateway.errors import FieldError as DomainFieldError
from gateway.errors import InvalidInput as DomainInvalidInput
from gateway.ids import IdKind, decode_id
from gateway.ledger.assets import AssetKind
from gateway.tenants import assets
from gateway.tenants.assets import CreateAsset
from resolvers.context import Info
from resolvers.errors import (
    Conflict,
    IdempotencyConflict,
    InvalidInput,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.asset import Asset, to_asset
from resolvers.types.organization import to_organization_references


@strawberry.input(description="What to count, and in how many decimals.")
class CreateAssetInput:
    """The call's key and the asset."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    id: strawberry.ID | None = strawberry.field(
        default=None, description="A GUID of your own, if the asset has one already."
    )
    code: str = strawberry.field(
        description="Unique short name, 1 to 32 of A-Z, a-z, 0-9, '.', '_', '-'; for example `GOLD`."
    )
    name: str = strawberry.field(description="Name for people: 1 to 200 characters.")
    kind: AssetKind = strawberry.field(
        description="What it counts. PRODUCT and COMPETITION come with their product or competition."
    )
    decimals: int = strawberry.field(
        default=0, description="How many decimals its amounts have: 0 to 8."
    )
    expires_after_days: int | None = strawberry.field(
        default=None,
        description="After how many days a member's credit expires: 1 to 3,650; never if left out. Not for CASH.",
    )
    issuers: list[strawberry.ID] = strawberry.field(
        default_factory=list,
        description="The other organizations, `org_…`, that may credit, deduct and fund it too: at most 100.",
    )


@strawberry.type(description="The asset; but for its issuers it never changes.")
class CreateAssetPayload:
    """An asset."""

    asset: Asset = strawberry.field(description="The asset.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


CreateAssetResult: TypeAlias = Annotated[
    CreateAssetPayload
    | InvalidInput
    | Conflict
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("CreateAssetResult", description="What became of a new asset."),
]


@mutation(
    "Create an asset of the organization: nobody but it and the issuers that it names credits, deducts or funds it.",
    requires=[Scope.CATALOG],
)
async def create_asset(
    info: Info,
    input: Annotated[CreateAssetInput, strawberry.argument(description="What to count.")],
) -> CreateAssetResult:
    """Turn the input into one command and its outcome into a payload."""
    errors: list[DomainFieldError] = []
    command = CreateAsset(
        input.request_id,
        input.code,
        input.name,
        input.kind,
        input.decimals,
        _read_guid(input.id, errors),
        input.expires_after_days,
        to_organization_references(input.issuers),
    )
    if errors:
        raise DomainInvalidInput([*errors, *assets.check_command(command)])
    outcome = await assets.create_asset(info.context.database, info.context.caller, command)
    return CreateAssetPayload(
        asset=to_asset(outcome.asset), idempotent_replay=outcome.idempotent_replay
    )


def _read_guid(given: str | None, errors: list[DomainFieldError]) -> UUID | None:
    guid = None if given is None else decode_id(IdKind.ASSET, given)
    if given is not None and guid is None:
        message = "id must be a GUID, for example 0681afdf-97bf-47f3-8569-731aeb6b2dd9."
        errors.append(DomainFieldError(("input", "id"), "guid", message))
    return guid
