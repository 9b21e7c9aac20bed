"""Do the work of a key once: claim it, or replay, or refuse. The only code that decides between the three."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from gateway.access import Caller
from gateway.operations import store
from gateway.operations.model import (
    Answer,
    IdempotencyConflict,
    Operation,
    OperationFenced,
    Request,
    RequestInProgress,
)
from gateway.storage.database import Connection, Database

CLAIM_ROUNDS_MAX = 3
# Nothing but the time tells whether a claim has waited. Without a wait it takes a tenth of this; where it is slow for another
# reason, under load one time in 300, the reading is done once more than it need be.
READING_AGE_MAX = timedelta(milliseconds=2)


async def run_once(
    database: Database,
    caller: Caller,
    request: Request,
    work: Callable[[Connection, Operation], Awaitable[Any]],
    *,
    dry_run: bool = False,
) -> Answer:
    """Run `work` for a key used for the first time and store its JSON answer; replay the answer for a repeat.

    The key, everything `work` writes and the answer commit together. If `work` raises, all of it is undone and the key
    is free again. A dry run leaves nothing behind, and does not use up the key.

    Raises:
        IdempotencyConflict: the key was used with other input.
        OperationFenced: the key was fenced.
        RequestInProgress: the first use is still running.
        RewardsError: whatever `work` refuses.
    """

    async def attempt(connection: Connection) -> Answer:
        (claimed,) = await claim(connection, caller, [request])
        if isinstance(claimed, Operation):
            value = await work(connection, claimed)
            if value != request.expected_answer:
                await store.complete(connection, caller, [(request, value)])
            return Answer(value, claimed.id, idempotent_replay=False)
        if isinstance(claimed, IdempotencyConflict):
            raise claimed
        return claimed

    return await database.run_transaction(attempt, dry_run=dry_run)


async def claim(
    connection: Connection, caller: Caller, requests: Sequence[Request]
) -> list[Operation | Answer | IdempotencyConflict]:
    """Decide for each request, in order: run it (Operation), replay it (Answer) or refuse it.

    Keys must differ from each other. Round trips: one if every key is new, two if some are known.
    """
    claimed = await store.claim_keys(connection, caller, requests)
    return await _decide(connection, caller, requests, claimed)


async def claim_and_read(
    connection: Connection, caller: Caller, requests: Sequence[Request], reading: store.Reading
) -> tuple[list[Operation | Answer | IdempotencyConflict], asyncpg.Record]:
    """Decide for each request as `claim` does, and return what a reading found, which costs no round trip of its own.

    For what is to be run the reading is as new as its claim, but for two milliseconds: if the claim waited for another who held a
    key, the reading is done once more, for one round trip.
    """
    claimed, row = await store.claim_keys_and_read(connection, caller, requests, reading)
    claimed_at_first = len(claimed)
    decided = await _decide(connection, caller, requests, claimed)
    was_claimed_later = row["reading_age"] > READING_AGE_MAX or len(claimed) > claimed_at_first
    if claimed and was_claimed_later:
        row = await store.read(connection, caller, reading)
    return decided, row


async def _decide(
    connection: Connection,
    caller: Caller,
    requests: Sequence[Request],
    claimed: dict[Any, Operation],
) -> list[Operation | Answer | IdempotencyConflict]:
    """Meet the requests whose keys were not free, claiming those again that have become so, which `claimed` then has too."""
    decided: dict[Any, Answer | IdempotencyConflict] = {}
    waiting = list(requests)
    for round_ in range(CLAIM_ROUNDS_MAX):
        if round_:
            claimed |= await store.claim_keys(connection, caller, waiting)
        waiting = [request for request in waiting if request.operation_id not in claimed]
        if waiting:
            keys = [(request.kind, request.key) for request in waiting]
            stored = await store.fetch_operations(connection, caller, keys)
            for request in waiting:
                if row := stored.get((request.kind, request.key)):
                    decided[request.operation_id] = _meet(caller, request, row)
        # A key that was held and is now gone belonged to a request that was undone: claim it again.
        waiting = [request for request in waiting if request.operation_id not in decided]
        if not waiting:
            break
    else:
        raise RequestInProgress("A request with this key keeps being retried; ask again shortly.")
    return [
        claimed.get(request.operation_id) or decided[request.operation_id] for request in requests
    ]


def _meet(caller: Caller, request: Request, stored: asyncpg.Record) -> Answer | IdempotencyConflict:
    if stored["fenced_at"] is not None:
        return OperationFenced(request)
    if differing := request.find_differing(stored["field_hashes"]):
        return IdempotencyConflict(request, differing)
    # A partner of two organizations has one set of keys, and each organization's answers are its own. A member is one person.
    if caller.member_id is None and stored["organization_id"] != caller.organization_id:
        return IdempotencyConflict(request, ("organization",))
    # The same operation id means that this very request committed and only the reply was lost.
    replay = stored["id"] != request.operation_id
    return Answer(stored["answer"], stored["id"], idempotent_replay=replay)
