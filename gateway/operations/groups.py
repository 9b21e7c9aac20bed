"""Concurrent operations of one kind and caller share a database transaction and its commit.

What an operation does is a batch: a function that does any number of jobs on a connection, each with its own key, answer and
failure. Alone, a job is the batch of one, and its failure undoes the database transaction. In a group, the keys of what failed
are freed, and the job is done again alone (docs/decisions/0008-group-commit.md).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from gateway.access import Caller
from gateway.operations import store
from gateway.operations.grouping import Begin, Grouper
from gateway.operations.model import Request
from gateway.operations.places import Places
from gateway.storage.database import Connection, Database

# Short, because the others of the group wait too; a job that needs longer is done alone.
GROUP_LOCK_TIMEOUT_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a job was not done, and the keys that it had claimed; none if its key was decided before, which is final."""

    error: Exception
    claimed: Sequence[Request] = ()


class Shareable(Protocol):
    """A job as groups see it: the keys it will claim, and how many lines it has."""

    @property
    def keys(self) -> frozenset[str]:
        """Return the keys that no other job under way may claim."""
        ...

    @property
    def line_count(self) -> int:
        """Return how much of a group it takes."""
        ...


Job = TypeVar("Job", bound=Shareable)
Outcome = TypeVar("Outcome")
Batch = Callable[[Connection, Caller, Sequence[Job]], Awaitable[Sequence[Outcome | Failed]]]


class Groups(Generic[Job, Outcome]):
    """Groups one kind of operation of a process; jobs of different callers never meet."""

    def __init__(
        self, database: Database, batch: Batch[Job, Outcome], places: Places | None = None
    ) -> None:
        """Take where to write, what to do, and the places of all that is grouped."""
        self._database = database
        self._batch = batch
        self._grouper: Grouper[tuple[Caller, Job], Outcome | Exception] = Grouper(
            self._run_group, self._run_alone, places
        )

    async def run(self, caller: Caller, job: Job) -> Outcome:
        """Do the job, with others if there are any under way.

        Raises:
            Exception: why it cannot be done, exactly as if it were alone.
            Overloaded: too many are waiting.
        """
        outcome = await self._grouper.run(
            caller.tenant_id, caller, job.keys, (caller, job), lines=job.line_count
        )
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _run_group(
        self, jobs: Sequence[tuple[Caller, Job]], begin: Begin
    ) -> list[Outcome | Exception | None]:
        caller = jobs[0][0]

        async def attempt(connection: Connection) -> Sequence[Outcome | Failed]:
            begin()
            outcomes = await self._batch(connection, caller, [job for _, job in jobs])
            claimed = [
                request
                for outcome in outcomes
                if isinstance(outcome, Failed)
                for request in outcome.claimed
            ]
            if claimed:
                await store.release(connection, caller, claimed)
            return outcomes

        database = self._database.on_behalf_of(caller.tenant_id)
        outcomes = await database.run_transaction(
            attempt, lock_timeout_seconds=GROUP_LOCK_TIMEOUT_SECONDS
        )
        return [_settle(outcome) for outcome in outcomes]

    async def _run_alone(self, caller_and_job: tuple[Caller, Job], begin: Begin) -> Outcome:
        caller, job = caller_and_job
        database = self._database.on_behalf_of(caller.tenant_id)
        return await run_alone(database, self._batch, caller, job, begin=begin)


def _settle(outcome: Any) -> Any:
    """Return what a group answers; None where it is not for a group to say, since alone it might be done."""
    if isinstance(outcome, Failed):
        return None if outcome.claimed else outcome.error
    return outcome


async def run_alone(
    database: Database,
    batch: Batch[Job, Outcome],
    caller: Caller,
    job: Job,
    *,
    dry_run: bool = False,
    begin: Begin = lambda: None,
) -> Outcome:
    """Do one job in a database transaction of its own, which is undone if it fails.

    Raises:
        Exception: why it cannot be done.
    """

    async def attempt(connection: Connection) -> Outcome:
        begin()
        (outcome,) = await batch(connection, caller, [job])
        if isinstance(outcome, Failed):
            raise outcome.error
        return outcome

    return await database.run_transaction(attempt, dry_run=dry_run)
