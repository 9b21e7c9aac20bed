"""Record an event once, and give what the campaigns give for it.

Round trips, whatever the number of campaigns: claim the key, find the member and read them, find the campaigns that
listen, find their rewards, lock the limits (2), award (2 or more, with coupons up to 7), count the uses, store the answer.
Lock order: key, limits (members' before campaigns'), coupon codes, balances, budgets.
"""

from __future__ import annotations

from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.campaigns.answer import grant_ids_of, read_outcomes
from gateway.campaigns.event import EventCommand, EventOutcome, check_command
from gateway.campaigns.run import EventRun
from gateway.campaigns.store import fetch_campaigns
from gateway.errors import InvalidInput
from gateway.grants.store import fetch_grants
from gateway.ids import new_id
from gateway.operations.model import OperationKind, Request
from gateway.operations.once import run_once
from gateway.storage.database import Database


async def record_event(database: Database, caller: Caller, command: EventCommand) -> EventOutcome:
    """Judge every active campaign that listens for the event, and grant the rewards of those that are met.

    An event that no campaign rewards is recorded all the same: its id has been used. A dry run also looks at campaigns that
    do not listen or are not active, and says of each why it would give nothing. Source: MON-12.

    Raises:
        Forbidden: the credential lacks the grant scope.
        InvalidInput: the command breaks rules; all are listed.
        NotFound: the member is unknown.
        IdempotencyConflict: the event id was used for another event.
        RequestInProgress: the first arrival of the event is still being recorded.
    """
    authorize(caller, Scope.GRANT)
    if errors := check_command(command):
        raise InvalidInput(errors)
    run = EventRun(caller, command)
    request = Request(
        kind=OperationKind.RECORD_EVENT,
        key=command.event_id,
        fields={
            "eventType": command.event_type,
            "member": command.member,
            "payload": command.payload,
            "occurredAt": command.occurred_at,
        },
        operation_id=new_id(),
    )
    answer = await run_once(database, caller, request, run.apply, dry_run=command.is_dry_run)
    grants, campaigns = run.grants, run.campaigns
    missing_grants = [grant_id for grant_id in grant_ids_of(answer.value) if grant_id not in grants]
    named = [UUID(item["campaign_id"]) for item in answer.value["campaigns"]]
    missing = [campaign_id for campaign_id in named if campaign_id not in campaigns]
    if missing or missing_grants:
        async with database.connection() as connection:
            scope = (caller.tenant_id, caller.organization_id)
            campaigns = campaigns | await fetch_campaigns(connection, *scope, missing)
            grants = grants | await fetch_grants(connection, caller.tenant_id, missing_grants)
    return read_outcomes(command, answer, campaigns, grants)
