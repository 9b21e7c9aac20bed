"""setAssetIssuers: who else may credit and deduct an asset."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.ids import IdKind, decode_id
from gateway.tenants.setting_issuers import SetAssetIssuers
from gateway.tenants.setting_issuers import set_asset_issuers as set_issuers
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
from resolvers.types.asset import Asset, to_asset
from resolvers.types.organization import to_organization_references


@strawberry.input(description="All issuers of an asset from now on.")
class SetAssetIssuersInput:
    """The call's key, the asset, and the organizations."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    asset_id: strawberry.ID = strawberry.field(description="An asset of the organization: a GUID.")
    issuers: list[strawberry.ID] = strawberry.field(
        description="The other organizations, `org_…`, that may credit, deduct and fund it: at most 100."
    )


@strawberry.type(description="The asset whose issuers were set.")
class SetAssetIssuersPayload:
    """An asset."""

    asset: Asset = strawberry.field(description="The asset, with the issuers that it has now.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


SetAssetIssuersResult: TypeAlias = Annotated[
    SetAssetIssuersPayload
    | InvalidInput
    | Forbidden
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("SetAssetIssuersResult", description="What became of an asset's issuers."),
]


@mutation(
    "Say which other organizations may credit, deduct and fund an asset of the organization; who is left out may not any more.",
    requires=[Scope.CATALOG],
)
async def set_asset_issuers(
    info: Info,
    input: Annotated[SetAssetIssuersInput, strawberry.argument(description="What to change.")],
) -> SetAssetIssuersResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    command = SetAssetIssuers(
        input.request_id,
        decode_id(IdKind.ASSET, input.asset_id),
        to_organization_references(input.issuers),
    )
    outcome = await set_issuers(context.database, context.caller, command)
    return SetAssetIssuersPayload(
        asset=to_asset(outcome.asset), idempotent_replay=outcome.idempotent_replay
    )
