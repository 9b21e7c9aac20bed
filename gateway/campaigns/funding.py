"""Use case: put points into a campaign's budget, from the organization's issuance.

Round trips inside the database transaction: claim the key, find the campaign and its asset, lock the budget, write the ledger,
store the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.campaigns.creating import fetch_own
from gateway.campaigns.model import Campaign
from gateway.campaigns.store import fetch_campaigns
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.ledger.assets import to_minor
from gateway.ledger.model import (
    Account,
    BalanceTooHigh,
    OwnerKind,
    Transaction,
    TransactionKind,
    Transfer,
)
from gateway.ledger.store import lock_balances, record
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.rules import check_amount, plain
from gateway.storage.database import Connection, Database
from gateway.tenants.asset_rights import require_movable

PATH = ("input", "amount")


@dataclass(frozen=True, slots=True)
class FundCampaign:
    """How much to put into which campaign's budget, in units of its asset."""

    request_id: str
    campaign_id: UUID
    amount: Decimal


@dataclass(frozen=True, slots=True)
class FundingOutcome:
    """The campaign, what its budget had after this, and the transaction that did it. Units: minor."""

    campaign: Campaign
    balance_minor: int
    transaction_id: UUID
    idempotent_replay: bool


async def fund_campaign(
    database: Database, caller: Caller, command: FundCampaign
) -> FundingOutcome:
    """Add to a campaign's budget.

    Raises:
        Forbidden: the credential lacks the scope.
        LimitExceeded: the credential may issue no such amount today.
        InvalidInput: the amount breaks a rule of its asset, or the campaign has no budget.
        NotFound: the caller's organization has no such campaign.
        OutOfReach: the owner of the budget's asset does not name the organization as an issuer any more.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    errors = check_key(command.request_id, ("input", "requestId"))
    if errors := errors + check_amount(command.amount, None, PATH):
        raise InvalidInput(errors)
    given = {"campaignId": command.campaign_id, "amount": plain(command.amount)}
    request = Request(OperationKind.FUND_CAMPAIGN, command.request_id, given, new_id())
    transaction_id = new_id()

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        budget, amount_minor = await _find_budget(connection, caller, command)
        transaction = Transaction(
            id=transaction_id,
            kind=TransactionKind.FUNDING,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={"campaignId": str(command.campaign_id), "amountMinor": amount_minor},
            credential_id=operation.credential_id,
        )
        issuance = Account(budget.asset_id, OwnerKind.ISSUANCE, caller.organization_id)
        book = await lock_balances(
            connection,
            caller.tenant_id,
            [budget],
            operation.at,
            caller.limited_credential_id,
        )
        try:
            book.post(transaction, [Transfer(issuance, budget, amount_minor)])
        except BalanceTooHigh as error:
            raise InvalidInput([FieldError(PATH, "range", error.message)]) from error
        await record(connection, caller.tenant_id, book, operation.at)
        balance_minor = book.available_minor(budget)
        return {"balance_minor": balance_minor, "transaction_id": str(transaction_id)}

    answer = await run_once(database, caller, request, work)
    return FundingOutcome(
        await fetch_own(database, caller, command.campaign_id),
        answer.value["balance_minor"],
        UUID(answer.value["transaction_id"]),
        answer.idempotent_replay,
    )


async def _find_budget(
    connection: Connection, caller: Caller, command: FundCampaign
) -> tuple[Account, int]:
    campaigns = await fetch_campaigns(
        connection, caller.tenant_id, caller.organization_id, [command.campaign_id]
    )
    campaign = campaigns.get(command.campaign_id)
    if campaign is None:
        raise NotFound("No such campaign.", ("input", "campaignId"))
    if campaign.budget is None:
        message = "The campaign has no budget: it was created without a budgetAssetId."
        raise InvalidInput([FieldError(("input", "campaignId"), "budget", message)])
    path = ("input", "campaignId")
    asset = await require_movable(connection, caller, campaign.budget.asset_id, path)
    if errors := check_amount(command.amount, asset.scale, PATH):
        raise InvalidInput(errors)
    return campaign.budget, to_minor(command.amount, asset.scale)
