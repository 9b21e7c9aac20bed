"""Reward up to 10,000 recipients in one call: every line on its own, all of them in one database transaction."""

from __future__ import annotations

from gateway.access import Caller, Scope, authorize
from gateway.distributing.model import DistributeCommand, check_command
from gateway.distributing.outcome import DistributionOutcome
from gateway.distributing.run import DistributionRun
from gateway.errors import InvalidInput
from gateway.operations.once import run_once
from gateway.storage.database import Database


async def distribute_rewards(
    database: Database, caller: Caller, command: DistributeCommand
) -> DistributionOutcome:
    """Apply each line that can be applied, in order; a repeat of the request id answers the first result.

    Source: ON3-1..9.

    Raises:
        Forbidden: the credential lacks the distribute scope.
        InvalidInput: the call as a whole breaks rules; all are listed.
        DistributionRejected: no line could be applied; nothing was written.
        IdempotencyConflict: the request id was used for another distribution.
        RequestInProgress: the first use of the request id is still running.
    """
    authorize(caller, Scope.DISTRIBUTE)
    if errors := check_command(command):
        raise InvalidInput(errors)
    run = DistributionRun(caller, command)
    answer = await run_once(database, caller, run.request, run.apply, dry_run=command.is_dry_run)
    return run.to_outcome(answer)
