"""A fenced key can never be used: whoever gave up after a time-out may send the request under another key (ALL-4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import pytest

from gateway.errors import ErrorCode, InvalidInput
from gateway.grants.award import award
from gateway.ids import new_id
from gateway.operations.fencing import KeyRecord, fence_operation, fetch_key
from gateway.operations.model import OperationFenced, OperationKind, RequestInProgress
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.catalog import Shop, open_shop
from tests.use_cases import (
    NUL,
    SURROGATE,
    add_member,
    codes_of,
    count,
    custom,
    distribute,
    fail_first_attempt,
    grant,
    issue,
    item,
    line,
    snapshot,
)

KIND = OperationKind.GRANT_REWARD
pytestmark = pytest.mark.requirement("ALL-4")


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    yield await open_shop(database)
    assert await verify(database) == []


def fence(shop: Shop, key: str, kind: OperationKind = KIND) -> Awaitable[KeyRecord]:
    return fence_operation(shop.database, shop.caller, kind, key)


async def test_fenced_key_refuses_a_late_arrival_and_writes_nothing(shop: Shop) -> None:
    member = await add_member(shop)
    record = await fence(shop, "late")
    assert (record.is_fenced, record.is_complete) == (True, False)
    before = await snapshot(shop.database)
    with pytest.raises(OperationFenced, match="was fenced") as raised:
        await grant(shop, custom("late", member))
    assert raised.value.code is ErrorCode.OPERATION_FENCED
    assert raised.value.path == ("input", "clientReference")
    assert raised.value.differing_fields == ()
    assert await snapshot(shop.database) == before


async def test_fence_is_of_one_kind(shop: Shop) -> None:
    member = await add_member(shop)
    await fence(shop, "shared", OperationKind.DISTRIBUTE_REWARDS)
    assert not (await grant(shop, custom("shared", member))).idempotent_replay
    with pytest.raises(OperationFenced):
        await distribute(shop, "shared", line(shop, member, 5))


async def test_fencing_again_answers_the_same(shop: Shop) -> None:
    first = await fence(shop, "late")
    before = await snapshot(shop.database)
    assert await fence(shop, "late") == first
    assert await snapshot(shop.database) == before


async def test_fence_of_a_used_key_answers_what_was_done(shop: Shop) -> None:
    member = await add_member(shop)
    made = await grant(shop, custom("done", member))
    before = await snapshot(shop.database)
    record = await fence(shop, "done")
    assert (record.id, record.is_fenced, record.is_complete) == (
        made.grant.operation_id,
        False,
        True,
    )
    assert await snapshot(shop.database) == before
    assert (await grant(shop, custom("done", member))).idempotent_replay


async def test_another_partners_key_is_not_fenced(shop: Shop) -> None:
    member = await add_member(shop)
    await fence_operation(shop.database, shop.neighbor, KIND, "own")
    assert not (await grant(shop, custom("own", member))).idempotent_replay


async def test_item_of_a_fenced_key_is_refused_by_itself(shop: Shop) -> None:
    member = await add_member(shop)
    reward = await shop.create_reward()
    await fence(shop, "first", OperationKind.ISSUE_REWARDS_ITEM)
    outcome = await issue(
        shop, "i-1", member, item(reward, request_id="first"), item(reward, request_id="second")
    )
    assert codes_of(outcome) == ["IDEMPOTENCY_CONFLICT", "GRANTED"]
    with pytest.raises(OperationFenced):
        await fence_and_issue(shop, member, reward)


async def fence_and_issue(shop: Shop, member: object, reward: object) -> None:
    await fence(shop, "whole", OperationKind.ISSUE_REWARDS)
    await issue(shop, "whole", member, item(reward))  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["", "  ", NUL, SURROGATE, "k" * 513])
async def test_key_that_no_operation_can_have_is_refused(shop: Shop, key: str) -> None:
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await fence(shop, key)
    assert raised.value.path == ("input", "key")
    assert await snapshot(shop.database) == before


async def test_longest_key_of_an_issuance_can_be_fenced(shop: Shop) -> None:
    record = await fence(shop, "k" * 512, OperationKind.ISSUE_REWARDS)
    assert record.is_fenced


async def test_fence_waits_for_the_request_that_is_running(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = await add_member(shop)
    running, finish = asyncio.Event(), asyncio.Event()

    async def wait(*arguments: Any, **options: Any) -> Any:
        running.set()
        await finish.wait()
        return await award(*arguments, **options)

    monkeypatch.setattr("gateway.granting.batch.award", wait)
    granting = asyncio.create_task(grant(shop, custom("slow", member)))
    await running.wait()
    fencing = asyncio.ensure_future(fence(shop, "slow"))
    await asyncio.sleep(0.05)
    assert not fencing.done()
    finish.set()
    made, record = await asyncio.gather(granting, fencing)
    assert (record.id, record.is_fenced) == (made.grant.operation_id, False)


async def test_fence_wins_where_the_running_request_is_undone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the attempts of a request that is tried again, a fence makes its second attempt a conflict."""
    member = await add_member(shop)
    fail_first_attempt(monkeypatch, between=lambda: fence(shop, "retried"))
    with pytest.raises(OperationFenced):
        await grant(shop, custom("retried", member))
    assert await count(shop, "grants") == 0


async def test_request_that_outlives_the_lock_time_out_is_in_progress(
    shop: Shop, database_url: str
) -> None:
    hasty = await Database.open(database_url, lock_timeout_seconds=0.05)
    try:
        async with shop.database.connection() as connection:
            unfinished = connection.transaction()
            await unfinished.start()
            await connection.execute(
                """INSERT INTO operations (tenant_id, partner_id, organization_id, kind, key, id, field_hashes, created_at)
                VALUES ($1, $2, $3, 'GRANT_REWARD', 'stuck', $4, '{}', now())""",
                shop.caller.tenant_id,
                shop.caller.partner_id,
                shop.caller.organization_id,
                new_id(),
            )
            with pytest.raises(RequestInProgress):
                await fence_operation(hasty, shop.caller, KIND, "stuck")
            await unfinished.rollback()
    finally:
        await hasty.close()


async def test_race_of_request_and_fence_has_one_winner(shop: Shop) -> None:
    """Whoever claims the key first: either the grant is there and no fence, or the fence and no grant."""
    member = await add_member(shop)
    winners = []
    for number in range(20):
        key = f"race-{number}"
        granted, record = await asyncio.gather(
            grant(shop, custom(key, member)), fence(shop, key), return_exceptions=True
        )
        assert isinstance(record, KeyRecord)
        assert isinstance(granted, OperationFenced) == record.is_fenced
        winners.append(record.is_fenced)
    assert await count(shop, "grants") == winners.count(False)
    async with shop.database.connection() as connection:
        last = await fetch_key(connection, shop.caller, KIND, "race-19")
    assert last is not None
    assert last.is_fenced is winners[-1]
