"""Concurrent grants of one caller share a database transaction and its commit."""

from __future__ import annotations

from collections.abc import Sequence

from gateway.access import Caller
from gateway.errors import RewardsError
from gateway.granting.batch import grant_batch
from gateway.granting.model import GrantJob, GrantOutcome
from gateway.operations import store
from gateway.operations.grouping import Grouper
from gateway.operations.model import IdempotencyConflict
from gateway.storage.database import Connection, Database

# Short, because the others of the group wait too; a job that needs longer is done alone.
GROUP_LOCK_TIMEOUT_SECONDS = 0.25


class GrantGroups:
    """Groups the grants of a process; queues are kept apart by caller."""

    def __init__(self, database: Database) -> None:
        """Take where to write."""
        self._database = database
        self._grouper: Grouper[tuple[Caller, GrantJob], GrantOutcome | RewardsError] = Grouper(
            self._grant_group, self._grant_alone
        )

    async def grant(self, caller: Caller, job: GrantJob) -> GrantOutcome:
        """Grant the job, with others if there are any under way.

        Raises:
            RewardsError: why it cannot be granted, exactly as if it were alone.
            Overloaded: too many are waiting.
        """
        outcome = await self._grouper.run(caller, job.request.key, (caller, job))
        if isinstance(outcome, RewardsError):
            raise outcome
        return outcome

    async def _grant_group(
        self, jobs: Sequence[tuple[Caller, GrantJob]]
    ) -> list[GrantOutcome | RewardsError | None]:
        caller = jobs[0][0]
        wanted = [job for _, job in jobs]

        async def attempt(connection: Connection) -> list[GrantOutcome | RewardsError]:
            outcomes = await grant_batch(connection, caller, wanted)
            failed = [
                job.request
                for job, outcome in zip(wanted, outcomes, strict=True)
                if isinstance(outcome, RewardsError)
                and not isinstance(outcome, IdempotencyConflict)
            ]
            if failed:
                await store.release(connection, caller, failed)
            return outcomes

        outcomes = await self._database.run_transaction(
            attempt, lock_timeout_seconds=GROUP_LOCK_TIMEOUT_SECONDS
        )
        # Whether a refusal would also be one alone is not for a group to say.
        return [
            None
            if isinstance(outcome, RewardsError) and not isinstance(outcome, IdempotencyConflict)
            else outcome
            for outcome in outcomes
        ]

    async def _grant_alone(self, caller_and_job: tuple[Caller, GrantJob]) -> GrantOutcome:
        return await grant_alone(self._database, *caller_and_job)


async def grant_alone(
    database: Database, caller: Caller, job: GrantJob, *, dry_run: bool = False
) -> GrantOutcome:
    """Grant one job in a database transaction of its own, which is undone if it fails.

    Raises:
        RewardsError: why it cannot be granted.
    """

    async def attempt(connection: Connection) -> GrantOutcome:
        (outcome,) = await grant_batch(connection, caller, [job])
        if isinstance(outcome, RewardsError):
            raise outcome
        return outcome

    return await database.run_transaction(attempt, dry_run=dry_run)
