"""Concurrent grants of one caller share a database transaction and its commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.access import Caller
from gateway.errors import RewardsError
from gateway.granting.batch import grant_batch
from gateway.granting.model import GrantJob, GrantOutcome
from gateway.operations.groups import Failed, Groups, run_alone
from gateway.operations.model import IdempotencyConflict
from gateway.operations.places import Places
from gateway.storage.database import Connection, Database


@dataclass(frozen=True, slots=True)
class _Shared:
    """A grant as groups see it: one key, one line."""

    job: GrantJob

    @property
    def keys(self) -> frozenset[str]:
        return frozenset((self.job.request.key,))

    @property
    def line_count(self) -> int:
        return 1


class GrantGroups:
    """Groups the grants of a process; queues are kept apart by caller."""

    def __init__(self, database: Database, places: Places | None = None) -> None:
        """Take where to write, and the places of all that is grouped."""
        self._groups = Groups[_Shared, GrantOutcome](database, _grant_all, places)

    async def grant(self, caller: Caller, job: GrantJob) -> GrantOutcome:
        """Grant the job, with others if there are any under way.

        Raises:
            RewardsError: why it cannot be granted, exactly as if it were alone.
            Overloaded: too many are waiting.
        """
        return await self._groups.run(caller, _Shared(job))


async def grant_alone(
    database: Database, caller: Caller, job: GrantJob, *, dry_run: bool = False
) -> GrantOutcome:
    """Grant one job in a database transaction of its own, which is undone if it fails.

    Raises:
        RewardsError: why it cannot be granted.
    """
    return await run_alone(database, _grant_all, caller, _Shared(job), dry_run=dry_run)


async def _grant_all(
    connection: Connection, caller: Caller, jobs: Sequence[_Shared]
) -> list[GrantOutcome | Failed]:
    outcomes = await grant_batch(connection, caller, [shared.job for shared in jobs])
    return [
        _to_failed(shared.job, outcome) if isinstance(outcome, RewardsError) else outcome
        for shared, outcome in zip(jobs, outcomes, strict=True)
    ]


def _to_failed(job: GrantJob, error: RewardsError) -> Failed:
    """Return the failure; only of a conflict the key was not this job's."""
    return Failed(error, () if isinstance(error, IdempotencyConflict) else (job.request,))
