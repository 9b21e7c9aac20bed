"""Issuances of one caller in one database transaction, each with its own key, answer and failure.

Round trips, whatever the number of issuances and items: claim the keys and find the members and what decides about the items, the
rewards that have changed and the assets that are new to this process or another organization's, claim the items' keys if they have any (2 if some
are known), find the groups if any are named, use up the till's code if there is one, claim the cash references if
there are any, award (2, with coupons up to 6 more), put grants at their first stage if there are stages, keep the calls' notes,
store the answers that are not as expected, and free the keys of items that were refused, if there are any. A replay: claim the
key, read the answer and the grants.
Lock order: the keys, the code, the cash references, then what award locks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.errors import NotFound, RewardsError
from gateway.grants.award import award_each
from gateway.grants.line import Line
from gateway.grants.record import GrantRecord
from gateway.grants.store import fetch_grants
from gateway.issuing import store
from gateway.issuing.cash import free_unused_references, refuse_taken_references
from gateway.issuing.facts import Facts, facts_of, load_facts
from gateway.issuing.fulfillment import store as fulfillment_store
from gateway.issuing.item_keys import claim_item_keys
from gateway.issuing.job import IssueJob
from gateway.issuing.model import IssuanceOutcome
from gateway.issuing.outcomes import by_text, grant_ids_of, read_items
from gateway.issuing.payers import Payers, find_payers
from gateway.issuing.run import IssuanceRun, check_points
from gateway.issuing.tills.validating import validate
from gateway.ledger.book import Book
from gateway.operations import store as operations_store
from gateway.operations.groups import Failed
from gateway.operations.model import Answer, IdempotencyConflict, Operation
from gateway.operations.once import claim_and_read
from gateway.storage.database import Connection

# By operation: the member whom a call is for, if there is one, and what is known about its items.
Known = Mapping[UUID, tuple[UUID | None, Facts]]


class NotForGroups(Exception):
    """The issuance depends on what a group does not offer; alone it can be done."""


async def issue_batch(
    connection: Connection, caller: Caller, jobs: Sequence[IssueJob]
) -> list[IssuanceOutcome | Failed]:
    """Issue what can be issued of each job and return its outcome or why there is none, in order.

    No two jobs may have a key in common. Who calls this undoes the database transaction, or frees the keys of those that failed.
    Failures are those that `issue_rewards` raises, and `NothingIssued`.
    """
    requests, reaches = [job.request for job in jobs], [job.reach for job in jobs]
    decided, found = await claim_and_read(connection, caller, requests, facts_of(reaches))
    runs = {
        operation.id: IssuanceRun(caller, job, operation)
        for job, operation in zip(jobs, decided, strict=True)
        if isinstance(operation, Operation)
    }
    if runs:
        facts = await load_facts(connection, caller, found)
        by_operation = dict(zip([request.operation_id for request in requests], facts, strict=True))
        await _issue(connection, caller, list(runs.values()), by_operation)
    answers: list[dict[str, Any] | Failed] = []
    for decision in decided:
        if isinstance(decision, IdempotencyConflict):
            answers.append(Failed(decision))
        elif isinstance(decision, Answer):
            answers.append(decision.value)
        else:
            run = runs[decision.id]
            answers.append(Failed(run.failure, run.claimed) if run.failure else run.answer())
    grants = {text: grant for run in runs.values() for text, grant in run.grants.items()}
    grants |= await _fetch_missing(connection, caller.tenant_id, answers, grants)
    return [
        answer
        if isinstance(answer, Failed)
        else IssuanceOutcome(
            job.command,
            read_items(job.reach, answer, grants),
            isinstance(decision, Answer) and decision.idempotent_replay,
        )
        for job, decision, answer in zip(jobs, decided, answers, strict=True)
    ]


async def _fetch_missing(
    connection: Connection,
    tenant_id: UUID,
    answers: Sequence[dict[str, Any] | Failed],
    known: dict[str, GrantRecord],
) -> dict[str, GrantRecord]:
    """Read the grants that answers name and this batch did not make."""
    named = {
        text
        for answer in answers
        if not isinstance(answer, Failed)
        for text in grant_ids_of(answer)
    }
    missing = sorted(named - known.keys())
    if not missing:
        return {}
    return by_text(await fetch_grants(connection, tenant_id, list(map(UUID, missing))))


async def _issue(
    connection: Connection, caller: Caller, runs: Sequence[IssuanceRun], known: Known
) -> None:
    """Go through the steps with the runs that have not failed; each run keeps its failure."""
    requests = [request for run in runs for request in run.job.item_requests.values()]
    decisions = await claim_item_keys(connection, caller, requests)
    for run in runs:
        run.settle_keys(decisions)
    await _plan(connection, caller, runs, known)
    if standing := _standing(runs):
        await _award(connection, caller, standing)
    if issued := _standing(runs):
        await _write(connection, caller, issued)


def _standing(runs: Sequence[IssuanceRun]) -> list[IssuanceRun]:
    return [run for run in runs if run.failure is None]


async def _plan(
    connection: Connection, caller: Caller, runs: Sequence[IssuanceRun], known: Known
) -> None:
    """Find who pays for the calls, and make their lines."""
    coupons: set[tuple[UUID, UUID]] = set()
    for run in runs:
        member_id, facts = known[run.operation.id]
        try:
            payers = await _find_payers(connection, caller, run, facts, member_id)
        except RewardsError as error:
            run.failure = error
            continue
        run.plan(payers, facts)
        if len(runs) > 1:
            _refuse_shared(run, coupons)
        if run.has_cash:
            taken = refuse_taken_references(connection, caller, run.lines, run.operation)
            run.refuse(await taken)


async def _find_payers(
    connection: Connection,
    caller: Caller,
    run: IssuanceRun,
    facts: Facts,
    member_id: UUID | None,
) -> Payers:
    """Return who pays for a call, and use up its validation code if it needs one.

    Raises:
        NotFound: the member is unknown, or in no such group.
        InvalidInput: the till or the code is missing or of no use.
    """
    if member_id is None:
        raise NotFound("No such member.", ("input", "member"))
    reach = run.job.reach
    payers = await find_payers(connection, caller.tenant_id, reach, member_id)
    await validate(connection, caller, reach, facts.tills, member_id, run.operation)
    return payers


def _refuse_shared(run: IssuanceRun, coupons: set[tuple[UUID, UUID]]) -> None:
    """Keep what vendors have to be asked for, and a coupon that an earlier call of the group wants too, out of groups."""
    wanted = {(line.coupon.reward_id, line.member_id) for line in run.lines if line.coupon}
    if wanted & coupons or any(line.purchase for line in run.lines):
        run.failure = NotForGroups()
    coupons |= wanted


async def _award(connection: Connection, caller: Caller, runs: Sequence[IssuanceRun]) -> None:
    """Try every call's lines, each call's points checked first on what the calls before it have left."""
    assets = {id_: asset for run in runs if run.facts for id_, asset in run.facts.assets.items()}

    def check(book: Book, lines: Sequence[Line]) -> None:
        check_points(book, lines, assets)

    parts = [run.lines for run in runs]
    awarded = await award_each(
        connection,
        caller.tenant_id,
        parts,
        runs[0].operation.at,
        check,
        caller.limited_credential_id,
    )
    for run, results in zip(runs, awarded, strict=True):
        if isinstance(results, RewardsError):
            run.failure = results
        else:
            run.judge(results)
            if run.failure is None and run.has_cash:
                await free_unused_references(connection, caller, run.lines, results, run.operation)


async def _write(connection: Connection, caller: Caller, runs: Sequence[IssuanceRun]) -> None:
    """Write what stands beside the grants, and the answers that were not expected."""
    first = [(stage, run.operation.id) for run in runs for stage in run.first_stages()]
    if first:
        stages, operation_ids = zip(*first, strict=True)
        at = runs[0].operation.at
        await fulfillment_store.begin(connection, caller.tenant_id, stages, operation_ids, at)
    issued = [(run.operation, run.job.command, run.payers.member_id) for run in runs if run.payers]
    await store.insert_issuances(connection, caller, issued)
    settled = [run.settled() for run in runs]
    unexpected = [answer for answers, _ in settled for answer in answers]
    if unexpected:
        await operations_store.complete(connection, caller, unexpected)
    refused = [request for _, freed in settled for request in freed]
    if refused:
        await operations_store.release(connection, caller, refused)
