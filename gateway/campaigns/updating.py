"""Use case: rename a campaign, move its period, switch it on or off.

Round trips inside the database transaction: claim the key, lock the campaign, count the active ones if it becomes one of
them, write, store the answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.campaigns.change_store import lock_campaign, update_campaign_row
from gateway.campaigns.creating import CampaignOutcome, fetch_own, reserve_active
from gateway.campaigns.model import CampaignStatus
from gateway.campaigns.rules import NAME_LENGTH_MAX, check_period
from gateway.errors import FieldError, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.operations.model import Operation, OperationKind, Request, check_key
from gateway.operations.once import run_once
from gateway.rewards.fields import UNSET, NotNamed
from gateway.storage.database import Connection, Database
from gateway.text import check_text


@dataclass(frozen=True, slots=True)
class UpdateCampaign:
    """What to change of which campaign; fields that are not named stay. None takes a bound of the period away."""

    request_id: str
    campaign_id: UUID
    name: str | NotNamed | None = UNSET
    status: CampaignStatus | NotNamed | None = UNSET
    starts_at: datetime | NotNamed | None = UNSET
    ends_at: datetime | NotNamed | None = UNSET

    @property
    def named(self) -> dict[str, Any]:
        """Return the fields that are named, by the campaign's own names."""
        given = {
            "name": self.name,
            "status": self.status,
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
        }
        return {name: value for name, value in given.items() if value is not UNSET}


async def update_campaign(
    database: Database, caller: Caller, command: UpdateCampaign
) -> CampaignOutcome:
    """Change what is named. Events that are being recorded at this moment may still see the campaign as it was.

    Raises:
        Forbidden: the credential lacks the scope.
        InvalidInput: every broken rule, by path.
        NotFound: the caller's organization has no such campaign.
        IdempotencyConflict, RequestInProgress: the request id was used before.
    """
    authorize(caller, Scope.CATALOG)
    if errors := check_command(command):
        raise InvalidInput(errors)
    given = {"id": command.campaign_id, **command.named}
    request = Request(OperationKind.UPDATE_CAMPAIGN, command.request_id, given, new_id())

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        scope = (caller.tenant_id, caller.organization_id)
        before = await lock_campaign(connection, *scope, command.campaign_id)
        if before is None:
            raise NotFound("No such campaign.", ("input", "id"))
        after = replace(before, **command.named, updated_at=operation.at)
        if errors := check_period(after.starts_at, after.ends_at):
            raise InvalidInput(errors)
        if after.status is CampaignStatus.ACTIVE is not before.status:
            await reserve_active(connection, caller)
        await update_campaign_row(connection, caller.tenant_id, after)
        return {"campaign_id": str(after.id)}

    answer = await run_once(database, caller, request, work)
    campaign = await fetch_own(database, caller, command.campaign_id)
    return CampaignOutcome(campaign, answer.idempotent_replay)


def check_command(command: UpdateCampaign) -> list[FieldError]:
    """Return every broken rule of form."""
    errors = check_key(command.request_id, ("input", "requestId"))
    for name in ("name", "status"):
        if getattr(command, name) is None:
            errors.append(FieldError(("input", name), "required", f"{name} is required."))
    if isinstance(command.name, str):
        errors += check_text(command.name, ("input", "name"), NAME_LENGTH_MAX)
    return errors
