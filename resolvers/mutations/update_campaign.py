"""updateCampaign: its name, its period, and whether it takes part."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeAlias, TypeVar

import strawberry

from gateway.access import Scope
from gateway.campaigns import updating
from gateway.campaigns.model import CampaignStatus
from gateway.campaigns.updating import UpdateCampaign
from gateway.ids import IdKind, decode_id
from gateway.rewards.fields import UNSET, NotNamed
from gateway.storage.pages import ID_LOWEST
from resolvers.context import Info
from resolvers.errors import (
    IdempotencyConflict,
    InvalidInput,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.campaign import Campaign, to_campaign

Given = TypeVar("Given")


@strawberry.input(
    description="What to change of a campaign. A field that is left out stays; null is for the period only."
)
class UpdateCampaignInput:
    """The call's key, the campaign and the fields to change."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    id: strawberry.ID = strawberry.field(description="The campaign: `camp_…`.")
    name: str | None = strawberry.field(
        default=strawberry.UNSET, description="Name for people: 1 to 200 characters."
    )
    status: CampaignStatus | None = strawberry.field(
        default=strawberry.UNSET,
        description="Whether it takes part; at most 100 of an organization do.",
    )
    starts_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it begins; null for no such time."
    )
    ends_at: datetime | None = strawberry.field(
        default=strawberry.UNSET, description="When it ends; null for no such time."
    )


@strawberry.type(description="The campaign after the change.")
class UpdateCampaignPayload:
    """A campaign."""

    campaign: Campaign = strawberry.field(description="The campaign, as it is now.")
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


UpdateCampaignResult: TypeAlias = Annotated[
    UpdateCampaignPayload
    | InvalidInput
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | Overloaded,
    strawberry.union("UpdateCampaignResult", description="What became of a change."),
]


@mutation("Rename a campaign, move its period, or switch it on or off.", requires=[Scope.CATALOG])
async def update_campaign(
    info: Info,
    input: Annotated[UpdateCampaignInput, strawberry.argument(description="What to change.")],
) -> UpdateCampaignResult:
    """Turn the input into one command and its outcome into a payload."""
    command = UpdateCampaign(
        input.request_id,
        decode_id(IdKind.CAMPAIGN, input.id) or ID_LOWEST,
        name=_read(input.name),
        status=_read(input.status),
        starts_at=_read(input.starts_at),
        ends_at=_read(input.ends_at),
    )
    outcome = await updating.update_campaign(info.context.database, info.context.caller, command)
    return UpdateCampaignPayload(
        campaign=to_campaign(outcome.campaign), idempotent_replay=outcome.idempotent_replay
    )


def _read(given: Given | None) -> Given | NotNamed | None:
    """Tell left out from null."""
    return UNSET if given is strawberry.UNSET else given
