"""Issue one or many rewards to one member: the points are checked once for all, then each reward stands alone.

Round trips of an issuance alone: what the batch of one takes (see batch.py). In a group, the same for all of it.
"""

from __future__ import annotations

import asyncio

from gateway.access import Caller, Scope, authorize
from gateway.errors import InvalidInput
from gateway.grants.record import GrantStatus
from gateway.grants.store import fetch_grants
from gateway.issuing.batch import issue_batch
from gateway.issuing.groups import IssuanceGroups, may_share
from gateway.issuing.job import to_job
from gateway.issuing.model import IssuanceOutcome, IssueCommand, check_command
from gateway.issuing.outcomes import present_again
from gateway.issuing.reach import resolve_reach
from gateway.issuing.run import NothingIssued
from gateway.issuing.tills.validating import place_at_till, require_permission_to_skip
from gateway.operations.groups import run_alone
from gateway.purchasing.purchaser import PATIENCE_SECONDS, Purchaser
from gateway.storage.database import Database


async def issue_rewards(
    database: Database,
    caller: Caller,
    command: IssueCommand,
    purchaser: Purchaser | None = None,
    groups: IssuanceGroups | None = None,
) -> IssuanceOutcome:
    """Issue each reward that can be issued; a repeat of the request id answers the first result.

    With `groups`, it may share its database transaction with others that run at the same time. What has to be bought from a
    vendor is asked for after the commit, and waited for until eight seconds have passed since the call began; what is not
    settled by then is pending, and a repeat shows what has become of it. If nothing could be issued, the outcome says why for
    every item, nothing was written, and the request id is free again.

    Source: CAP-1..17.

    Raises:
        Forbidden: the credential lacks the issue scope.
        OutOfReach: the call names an organization that the credential does not reach, or skips validation and may not.
        InvalidInput: the command breaks rules; all are listed. A till or a validation code that is missing or of no use is one.
        NotFound: the member is unknown, or in no group of the kind named.
        InsufficientBalance: the member cannot pay for the whole call; nothing was issued or deducted.
        IdempotencyConflict: the request id was used for another issuance.
        RequestInProgress: the first use of the request id is still running.
        Overloaded: too many are waiting; nothing was done.
    """
    authorize(caller, Scope.ISSUE)
    command = place_at_till(caller, command)
    if errors := check_command(command):
        raise InvalidInput(errors)
    require_permission_to_skip(caller, command)
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    job = to_job(caller, resolve_reach(caller, command))
    try:
        if groups is not None and may_share(command):
            outcome = await groups.issue(caller, job)
        else:
            outcome = await run_alone(
                database, issue_batch, caller, job, dry_run=command.is_dry_run
            )
    except NothingIssued as nothing:
        return IssuanceOutcome(command, nothing.items, idempotent_replay=False)
    if purchaser is None or command.is_dry_run or outcome.idempotent_replay:
        return outcome
    return await _pursue(database, caller, outcome, purchaser, deadline)


async def _pursue(
    database: Database,
    caller: Caller,
    outcome: IssuanceOutcome,
    purchaser: Purchaser,
    deadline: float,
) -> IssuanceOutcome:
    """Ask vendors for what is pending, and return what has become of it by then."""
    pending = [
        item.grant.id
        for item in outcome.items
        if item.grant is not None
        and item.grant.status is GrantStatus.PENDING
        and not item.idempotent_replay
    ]
    if not pending:
        return outcome
    await purchaser.pursue(caller.tenant_id, pending, deadline)
    async with database.connection() as connection:
        grants = await fetch_grants(connection, caller.tenant_id, pending)
    return present_again(outcome, grants)
