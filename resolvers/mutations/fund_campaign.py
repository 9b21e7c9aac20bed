"""fundCampaign: points for a campaign's budget."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, TypeAlias

import strawberry

from gateway.access import Scope
from gateway.campaigns import funding
from gateway.campaigns.funding import FundCampaign
from gateway.ids import IdKind, decode_id, encode_id
from gateway.ledger.assets import from_minor
from gateway.storage.pages import ID_LOWEST
from resolvers.context import Info
from resolvers.errors import (
    Forbidden,
    IdempotencyConflict,
    InvalidInput,
    LimitExceeded,
    NotFound,
    Overloaded,
    RequestInProgress,
)
from resolvers.fields import mutation
from resolvers.types.campaign import Campaign, to_campaign


@strawberry.input(description="How much to put into a campaign's budget.")
class FundCampaignInput:
    """The call's key, the campaign and the amount."""

    request_id: str = strawberry.field(
        description="Idempotency key: 1 to 128 characters, unique per partner for ever."
    )
    campaign_id: strawberry.ID = strawberry.field(description="The campaign: `camp_…`.")
    amount: Decimal = strawberry.field(
        description="How much to add, in units of the budget's asset: above zero and exact in it."
    )


@strawberry.type(description="The campaign with more to give.")
class FundCampaignPayload:
    """A campaign and its budget."""

    campaign: Campaign = strawberry.field(description="The campaign, with its budget as it is now.")
    available: Decimal = strawberry.field(
        description="What the budget had as the first call with this key left it."
    )
    transaction_id: strawberry.ID = strawberry.field(
        description="The ledger transaction that moved it."
    )
    idempotent_replay: bool = strawberry.field(
        description="True if an earlier call with this key did the work."
    )


FundCampaignResult: TypeAlias = Annotated[
    FundCampaignPayload
    | InvalidInput
    | Forbidden
    | NotFound
    | IdempotencyConflict
    | RequestInProgress
    | LimitExceeded
    | Overloaded,
    strawberry.union("FundCampaignResult", description="What became of the funding."),
]


@mutation("Add to a campaign's budget, from the organization's issuance.", requires=[Scope.CATALOG])
async def fund_campaign(
    info: Info,
    input: Annotated[FundCampaignInput, strawberry.argument(description="How much for what.")],
) -> FundCampaignResult:
    """Turn the input into one command and its outcome into a payload."""
    context = info.context
    campaign_id = decode_id(IdKind.CAMPAIGN, input.campaign_id) or ID_LOWEST
    command = FundCampaign(input.request_id, campaign_id, input.amount)
    outcome = await funding.fund_campaign(context.database, context.caller, command)
    budget = outcome.campaign.budget
    assert budget is not None  # noqa: S101 - only a campaign with a budget can be funded
    asset = await context.loaders.known_assets.load(budget.asset_id)
    assert asset is not None  # noqa: S101 - checked when the campaign was made
    return FundCampaignPayload(
        campaign=to_campaign(outcome.campaign),
        available=from_minor(outcome.balance_minor, asset.scale),
        transaction_id=strawberry.ID(encode_id(IdKind.TRANSACTION, outcome.transaction_id)),
        idempotent_replay=outcome.idempotent_replay,
    )
