"""Grants of one caller in one database transaction, each with its own key, answer and failure.

Round trips, whatever the number of grants: claim the keys with their answers and find the members, find the rewards if there are
any, award (2, unique coupons 5), store the answers that are others; with replays two more, to read the answers and the
grants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.errors import RewardsError
from gateway.granting.model import CatalogReward, GrantJob, GrantOutcome
from gateway.granting.plan import REWARD_PATH, plan_grant
from gateway.grants.award import award
from gateway.grants.errors import RewardUnavailable
from gateway.grants.line import AlreadyIssued, Line, LineResult
from gateway.grants.pending import PENDING, present_status
from gateway.grants.record import GrantRecord, GrantStatus
from gateway.grants.status import ALREADY_ISSUED, ItemStatus, Refusal, StatusCode
from gateway.grants.store import fetch_grants
from gateway.ledger.limits import LimitExceeded
from gateway.members.reference_store import FIND_AT_ONCE, to_find_arguments
from gateway.operations import store
from gateway.operations.model import Answer, IdempotencyConflict, Operation
from gateway.operations.once import claim_and_read
from gateway.operations.store import Reading
from gateway.rewards.model import Reward
from gateway.rewards.store import fetch_rewards
from gateway.storage.database import Connection
from gateway.tenants.asset_rights import NO_USES, find_forbidden_uses

GRANTED = ItemStatus(StatusCode.GRANTED, "Reward granted.")


async def grant_batch(
    connection: Connection, caller: Caller, jobs: Sequence[GrantJob]
) -> list[GrantOutcome | RewardsError]:
    """Grant each job that can be granted and return its outcome or why not, in order.

    Keys must differ. The caller of this function undoes the database transaction, or frees the keys of those that failed.
    """
    decided, found = await claim_and_read(
        connection,
        caller,
        [job.request for job in jobs],
        Reading(FIND_AT_ONCE, to_find_arguments([job.command.member for job in jobs])),
    )
    running = [
        (job, operation)
        for job, operation in zip(jobs, decided, strict=True)
        if isinstance(operation, Operation)
    ]
    members = {job.grant_id: id_ for job, id_ in zip(jobs, found["member_ids"], strict=True)}
    lines, failed = await _plan(connection, caller, running, members)
    results = await _award(connection, caller, running, lines)
    answers = {job.grant_id: _judge(job, results.get(job.grant_id)) for job, _ in running}
    done = [
        (job.request, answer)
        for job, _ in running
        if isinstance(answer := answers[job.grant_id], dict)
        and answer is not job.request.expected_answer
    ]
    if done:
        await store.complete(connection, caller, done)
    values = [
        decision.value if isinstance(decision, Answer) else answers.get(job.grant_id)
        for job, decision in zip(jobs, decided, strict=True)
    ]
    known = {
        str(result.id): result for result in results.values() if isinstance(result, GrantRecord)
    }
    grants = known | await _fetch_missing(connection, caller, values, known)
    return [
        _to_outcome(decision, value, failed.get(job.grant_id), grants)
        for job, decision, value in zip(jobs, decided, values, strict=True)
    ]


def to_answer(grant_id: UUID, status: ItemStatus) -> dict[str, Any]:
    """Return the answer that is stored of a grant."""
    return {"grant_id": str(grant_id), "code": status.code.value, "message": status.message}


async def _plan(
    connection: Connection,
    caller: Caller,
    running: Sequence[tuple[GrantJob, Operation]],
    members: Mapping[UUID, UUID | None],
) -> tuple[list[Line], dict[UUID, RewardsError]]:
    """Find the rewards, and return the lines, and by grant id why there is none."""
    rewards = await _find_rewards(connection, caller, running)
    uses = [use for reward in rewards.values() if (use := reward.credit_use)]
    forbidden = await find_forbidden_uses(connection, caller, uses) if uses else NO_USES
    lines: list[Line] = []
    failed: dict[UUID, RewardsError] = {}
    for job, operation in running:
        try:
            member_id = members[job.grant_id]
            lines.append(plan_grant(caller, job, operation, member_id, rewards, forbidden))
        except RewardsError as error:
            failed[job.grant_id] = error
    return lines, failed


async def _find_rewards(
    connection: Connection, caller: Caller, running: Sequence[tuple[GrantJob, Operation]]
) -> dict[UUID, Reward]:
    wanted = {
        job.command.reward.reward_id
        for job, _ in running
        if isinstance(job.command.reward, CatalogReward) and job.command.reward.reward_id
    }
    if not wanted:
        return {}
    return await fetch_rewards(connection, caller.tenant_id, caller.organization_id, sorted(wanted))


async def _award(
    connection: Connection,
    caller: Caller,
    running: Sequence[tuple[GrantJob, Operation]],
    lines: Sequence[Line],
) -> dict[UUID, LineResult]:
    if not lines:
        return {}
    results = await award(
        connection,
        caller.tenant_id,
        lines,
        running[0][1].at,
        limited_credential_id=caller.limited_credential_id,
    )
    return {line.grant_id: result for line, result in zip(lines, results, strict=True)}


def _judge(job: GrantJob, result: LineResult | None) -> dict[str, Any] | RewardsError | None:
    """Return the answer to be stored, or why there is none; None of a job that was not planned."""
    if result is None:
        return None
    if isinstance(result, Refusal):
        if isinstance(result.error, LimitExceeded):
            return result.error
        return RewardUnavailable(result, REWARD_PATH)
    if isinstance(result, AlreadyIssued):
        return to_answer(result.grant_id, ALREADY_ISSUED)
    if result.status is GrantStatus.PENDING:
        return to_answer(result.id, PENDING)
    expected: dict[str, Any] = job.request.expected_answer
    return expected


async def _fetch_missing(
    connection: Connection,
    caller: Caller,
    values: Sequence[dict[str, Any] | RewardsError | None],
    known: Mapping[str, GrantRecord],
) -> dict[str, GrantRecord]:
    """Read the grants that answers name and this call did not make, by their ids as text."""
    named = {value["grant_id"] for value in values if isinstance(value, dict)}
    missing = [UUID(grant_id) for grant_id in sorted(named - known.keys())]
    if not missing:
        return {}
    found = await fetch_grants(connection, caller.tenant_id, missing)
    return {str(grant_id): grant for grant_id, grant in found.items()}


def _to_outcome(
    decision: Operation | Answer | IdempotencyConflict,
    value: dict[str, Any] | RewardsError | None,
    failure: RewardsError | None,
    grants: Mapping[str, GrantRecord],
) -> GrantOutcome | RewardsError:
    if isinstance(decision, IdempotencyConflict):
        return decision
    if isinstance(value, RewardsError):
        return value
    if value is None:
        assert failure is not None  # noqa: S101 - a job without a result was not planned
        return failure
    status = ItemStatus(StatusCode(value["code"]), value["message"])
    replay = isinstance(decision, Answer) and decision.idempotent_replay
    grant = grants[value["grant_id"]]
    return GrantOutcome(grant, present_status(status, grant, GRANTED), replay)
