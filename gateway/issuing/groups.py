"""Concurrent issuances of one caller share a database transaction and its commit."""

from __future__ import annotations

from gateway.access import Caller
from gateway.issuing.batch import issue_batch
from gateway.issuing.job import IssueJob
from gateway.issuing.model import IssuanceOutcome, IssueCommand
from gateway.operations.groups import Groups
from gateway.operations.places import Places
from gateway.storage.database import Database


class IssuanceGroups:
    """Groups the issuances of a process; queues are kept apart by caller."""

    def __init__(self, database: Database, places: Places | None = None) -> None:
        """Take where to write, and the places of all that is grouped."""
        self._groups = Groups[IssueJob, IssuanceOutcome](database, issue_batch, places)

    async def issue(self, caller: Caller, job: IssueJob) -> IssuanceOutcome:
        """Issue the job, with others if there are any under way.

        Raises:
            RewardsError: why it cannot be issued, exactly as if it were alone.
            NothingIssued: every item was refused.
            Overloaded: too many are waiting.
        """
        return await self._groups.run(caller, job)


def may_share(command: IssueCommand) -> bool:
    """Tell whether an issuance may be done with others.

    What locks more than keys and balances stays alone, so that locks are taken in one order: a validation code, payments in
    cash, a group's account. So does a dry run, which is undone.
    """
    return not (
        command.is_dry_run
        or command.is_group_redemption
        or command.validation_code is not None
        or any(item.cash_reference is not None for item in command.items)
    )
