"""Issue one or many rewards to one member: the points are checked once for all, then each reward stands alone."""

from __future__ import annotations

import asyncio
from uuid import UUID

from gateway.access import Caller, Scope, authorize
from gateway.errors import InvalidInput
from gateway.grants.record import GrantRecord, GrantStatus
from gateway.grants.store import fetch_grants
from gateway.ids import new_id
from gateway.issuing.model import IssuanceOutcome, IssueCommand, check_command
from gateway.issuing.reach import resolve_reach
from gateway.issuing.run import IssuanceRun, NothingIssued, read_items
from gateway.issuing.tills.validating import require_permission_to_skip
from gateway.operations.model import OperationKind, Request
from gateway.operations.once import run_once
from gateway.purchasing.purchaser import PATIENCE_SECONDS, Purchaser
from gateway.storage.database import Database


async def issue_rewards(
    database: Database,
    caller: Caller,
    command: IssueCommand,
    purchaser: Purchaser | None = None,
) -> IssuanceOutcome:
    """Issue each reward that can be issued; a repeat of the request id answers the first result.

    What has to be bought from a vendor is asked for after the commit, and waited for until eight seconds have passed since
    the call began; what is not settled by then is pending, and a repeat shows what has become of it. If nothing could be issued, the outcome says why for every item, nothing was written, and the request id is free again.

    Source: CAP-1..17.

    Raises:
        Forbidden: the credential lacks the issue scope.
        OutOfReach: the call names an organisation that the credential does not reach, or skips validation and may not.
        InvalidInput: the command breaks rules; all are listed. A validation code that is missing or of no use is one.
        NotFound: the member is unknown, or in no group of the kind named.
        InsufficientBalance: the member cannot pay for the whole call; nothing was issued or deducted.
        IdempotencyConflict: the request id was used for another issuance.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.ISSUE)
    if errors := check_command(command):
        raise InvalidInput(errors)
    require_permission_to_skip(caller, command)
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    run = IssuanceRun(caller, resolve_reach(caller, command))
    try:
        answer = await run_once(
            database, caller, _to_request(caller, command), run.apply, dry_run=command.is_dry_run
        )
    except NothingIssued as nothing:
        return IssuanceOutcome(command, nothing.items, idempotent_replay=False)
    grants = run.grants
    if purchaser is not None and not command.is_dry_run and not answer.idempotent_replay:
        pending = _pending_ids(grants)
        await purchaser.pursue(caller.tenant_id, pending, deadline)
        grants = {grant_id: grants[grant_id] for grant_id in grants.keys() - set(pending)}
    missing = [grant_id for grant_id in run.grant_ids_of(answer.value) if grant_id not in grants]
    if missing:
        async with database.connection() as connection:
            grants = grants | await fetch_grants(connection, caller.tenant_id, missing)
    items = read_items(command, answer.value, grants)
    return IssuanceOutcome(command, items, answer.idempotent_replay)


def _pending_ids(grants: dict[UUID, GrantRecord]) -> list[UUID]:
    return [grant.id for grant in grants.values() if grant.status is GrantStatus.PENDING]


def _to_request(caller: Caller, command: IssueCommand) -> Request:
    return Request(
        kind=OperationKind.ISSUE_REWARDS,
        key=command.request_id,
        fields={"organisation": caller.organisation_id, **command.fingerprint},
        operation_id=new_id(),
    )
