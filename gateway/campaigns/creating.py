"""Use case: make a campaign. What it does is fixed then; when it runs can be changed.

Round trips inside the database transaction: claim the key, find the rewards and the budget's asset, lock the organization and
count its active campaigns, insert, store the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.campaigns.change_store import count_active, insert_campaign, lock_organization
from gateway.campaigns.fields import CampaignFields
from gateway.campaigns.model import Campaign, CampaignStatus
from gateway.campaigns.rules import check_fields, check_references
from gateway.campaigns.store import ACTIVE_CAMPAIGNS_MAX, fetch_campaigns
from gateway.errors import FieldError, InvalidInput
from gateway.ids import new_id
from gateway.ledger.assets import say_forbidden
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.store import fetch_rewards
from gateway.storage.database import Connection, Database
from gateway.tenants.asset_rights import load_visible_assets


@dataclass(frozen=True, slots=True)
class CreateCampaign:
    """A new campaign."""

    request_id: str
    fields: CampaignFields


@dataclass(frozen=True, slots=True)
class CampaignOutcome:
    """The campaign as it stands."""

    campaign: Campaign
    idempotent_replay: bool


async def create_campaign(
    database: Database, caller: Caller, command: CreateCampaign
) -> CampaignOutcome:
    """Make a campaign of the caller's organization, over its own rewards.

    Source: MON-12, MON-13.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path; an expression's with its line and column.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    errors = check_key(command.request_id, ("input", "requestId"))
    if errors := errors + check_fields(command.fields):
        raise InvalidInput(errors)
    given = command.fields.to_fields()
    request = Request(OperationKind.CREATE_CAMPAIGN, command.request_id, given, new_id())
    campaign_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        await _check_references(connection, caller, command.fields)
        campaign = command.fields.complete(campaign_id, caller.organization_id, operation)
        if campaign.status is CampaignStatus.ACTIVE:
            await reserve_active(connection, caller)
        await insert_campaign(connection, caller.tenant_id, campaign)
        return {"campaign_id": str(campaign_id)}

    answer = await run_once(database, caller, request, work)
    campaign = await fetch_own(database, caller, UUID(answer.value["campaign_id"]))
    return CampaignOutcome(campaign, answer.idempotent_replay)


async def reserve_active(connection: Connection, caller: Caller) -> None:
    """Make sure that one more campaign of the organization can be active.

    Raises:
        InvalidInput: it has as many as an event may have to be judged by.
    """
    scope = (caller.tenant_id, caller.organization_id)
    await lock_organization(connection, *scope)
    if await count_active(connection, *scope) >= ACTIVE_CAMPAIGNS_MAX:
        message = f"An organization has at most {ACTIVE_CAMPAIGNS_MAX} active campaigns."
        raise InvalidInput([FieldError(("input", "status"), "count", message)])


async def fetch_own(database: Database, caller: Caller, campaign_id: UUID) -> Campaign:
    """Return a campaign of the caller's organization that is known to exist."""
    async with database.connection() as connection:
        campaigns = await fetch_campaigns(
            connection, caller.tenant_id, caller.organization_id, [campaign_id]
        )
    return campaigns[campaign_id]


async def _check_references(connection: Connection, caller: Caller, fields: CampaignFields) -> None:
    rewards = await fetch_rewards(
        connection, caller.tenant_id, caller.organization_id, fields.reward_ids
    )
    asset_id = fields.budget_asset_id
    found = await load_visible_assets(connection, caller, [asset_id] if asset_id else [])
    asset = found.assets.get(asset_id) if asset_id else None
    errors = check_references(fields, rewards, asset)
    if asset is not None and asset.id in found.forbidden_ids:
        path = ("input", "budgetAssetId")
        errors.append(FieldError(path, "issuer", say_forbidden(asset)))
    if errors:
        raise InvalidInput(errors)
