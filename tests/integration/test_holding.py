"""A hold keeps its amount from being spent and ends once: captured, released, or by its time (CAP-4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from gateway.access import Scope
from gateway.errors import ErrorCode, Forbidden, InvalidInput, NotFound
from gateway.grants.errors import InsufficientBalance
from gateway.holding.ending import capture, release
from gateway.holding.expiry import expire_holds
from gateway.holding.model import (
    CaptureCommand,
    HoldOutcome,
    HoldStatus,
    ReleaseCommand,
    ReserveCommand,
)
from gateway.holding.reserve import reserve
from gateway.ids import new_id
from gateway.ledger.model import HoldEnded
from gateway.operations.model import IdempotencyConflict
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.catalog import Shop, open_shop
from tests.use_cases import (
    NUL,
    add_member,
    balance,
    count,
    distribute,
    fail_first_attempt,
    give_points,
    line,
    lose_first_commit_reply,
    named,
    points_of,
    snapshot,
    without,
)

PATH = ("input", "holdId")
pytestmark = pytest.mark.requirement("CAP-4")


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    yield await open_shop(database)
    assert await verify(database) == []


@pytest.fixture
async def member(shop: Shop) -> UUID:
    member_id = await add_member(shop)
    await give_points(shop, member_id, 100)
    return member_id


async def hold(shop: Shop, key: str, member_id: UUID, amount: int = 30, **f: Any) -> HoldOutcome:
    caller = f.pop("caller", shop.caller)
    fields: dict[str, Any] = {
        "asset_id": points_of(shop),
        "amount": Decimal(amount),
        "expires_in_seconds": 60,
    } | f
    return await reserve(shop.database, caller, ReserveCommand(key, named(member_id), **fields))


async def take(
    shop: Shop, key: str, hold_id: UUID | None, amount: str | None = None
) -> HoldOutcome:
    command = CaptureCommand(key, hold_id, None if amount is None else Decimal(amount))
    return await capture(shop.database, shop.caller, command)


async def free(shop: Shop, key: str, hold_id: UUID | None) -> HoldOutcome:
    return await release(shop.database, shop.caller, ReleaseCommand(key, hold_id))


async def held(shop: Shop, member_id: UUID) -> int:
    rows = await shop.database.fetch(
        "SELECT held_minor FROM accounts WHERE owner_id = $1", member_id
    )
    return sum(row["held_minor"] for row in rows)


async def age(owner: str, hold_id: UUID) -> None:
    """Let a hold's time be over."""
    connection = await asyncpg.connect(owner)
    await connection.execute(
        "UPDATE holds SET created_at = now() - interval '9s', expires_at = now() - interval '1s' WHERE id = $1",
        hold_id,
    )
    await connection.close()


async def test_hold_reserves_and_cannot_be_spent(shop: Shop, member: UUID) -> None:
    outcome = await hold(shop, "h-1", member, 30, reason="Hotel")
    found = outcome.hold
    assert (found.status, found.amount_minor, found.reason) == (HoldStatus.OPEN, 30, "Hotel")
    assert found.expires_at - found.created_at == timedelta(seconds=60)
    assert (found.captured_minor, found.ended_at, found.transaction_id) == (None, None, None)
    assert (await balance(shop, member), await held(shop, member)) == (100, 30)
    made = await distribute(shop, "d-1", line(shop, member, -70))
    assert made.results[0].status.is_success
    with pytest.raises(InsufficientBalance) as raised:
        await hold(shop, "h-2", member, 1)
    (short,) = raised.value.shortfalls
    assert (short.required_minor, short.available_minor) == (1, 0)
    assert raised.value.path == ("input", "amount")


async def test_capture_takes_all(shop: Shop, member: UUID) -> None:
    hold_id = (await hold(shop, "h-1", member)).hold.id
    found = (await take(shop, "c-1", hold_id)).hold
    assert (found.status, found.captured_minor) == (HoldStatus.CAPTURED, 30)
    assert found.ended_at is not None
    assert (await balance(shop, member), await held(shop, member)) == (70, 0)
    rows = await shop.database.fetch(
        "SELECT id, kind, description FROM ledger_transactions WHERE kind = 'CAPTURE'"
    )
    assert [tuple(row) for row in rows] == [(found.transaction_id, "CAPTURE", None)]


async def test_capture_of_a_part_releases_the_rest(shop: Shop, member: UUID) -> None:
    hold_id = (await hold(shop, "h-1", member)).hold.id
    found = (await take(shop, "c-1", hold_id, "12")).hold
    assert (found.status, found.amount_minor, found.captured_minor) == (
        HoldStatus.CAPTURED,
        30,
        12,
    )
    assert (await balance(shop, member), await held(shop, member)) == (88, 0)


async def test_release_sets_all_free(shop: Shop, member: UUID) -> None:
    hold_id = (await hold(shop, "h-1", member)).hold.id
    found = (await free(shop, "r-1", hold_id)).hold
    assert (found.status, found.captured_minor) == (HoldStatus.RELEASED, None)
    assert (await balance(shop, member), await held(shop, member)) == (100, 0)


async def test_hold_ends_once(shop: Shop, member: UUID) -> None:
    captured, released = [(await hold(shop, key, member)).hold.id for key in ("h-1", "h-2")]
    await take(shop, "c-1", captured)
    await free(shop, "r-1", released)
    before = await snapshot(shop.database)
    for hold_id, message in ((captured, "was captured"), (released, "was released")):
        for end in (take, free):
            with pytest.raises(HoldEnded, match=message) as raised:
                await end(shop, "again", hold_id)
            assert (raised.value.code, raised.value.path) == (ErrorCode.HOLD_ENDED, PATH)
    assert await snapshot(shop.database) == before


async def test_hold_whose_time_is_over_is_neither_captured_nor_released_and_is_set_free_when_met(
    shop: Shop, member: UUID, owner_database_url: str
) -> None:
    hold_id = (await hold(shop, "h-1", member)).hold.id
    other = (await hold(shop, "h-2", member)).hold.id
    await age(owner_database_url, hold_id)
    await age(owner_database_url, other)
    for number, (end, met) in enumerate(((take, hold_id), (free, other))):
        assert await held(shop, member) == 60 - 30 * number
        with pytest.raises(HoldEnded, match="has expired"):
            await end(shop, "late", met)
        assert await held(shop, member) == 30 - 30 * number
    # The key of a refusal is free.
    third = (await hold(shop, "h-3", member)).hold.id
    assert (await free(shop, "late", third)).hold.status is HoldStatus.RELEASED


async def test_reservation_finds_what_others_hold_too_long(
    shop: Shop, member: UUID, owner_database_url: str
) -> None:
    first = (await hold(shop, "h-1", member, 60)).hold.id
    await age(owner_database_url, first)
    assert (await hold(shop, "h-2", member, 90)).hold.status is HoldStatus.OPEN
    assert await held(shop, member) == 90


async def test_workers_release_each_due_hold_once(
    shop: Shop, member: UUID, owner_database_url: str
) -> None:
    ids = [(await hold(shop, f"h-{number}", member, 2)).hold.id for number in range(20)]
    for hold_id in ids[:15]:
        await age(owner_database_url, hold_id)
    tenant_id = shop.caller.tenant_id
    released = await asyncio.gather(
        *(expire_holds(shop.database, tenant_id, limit=4) for _ in range(6))
    )
    assert sum(released) <= 15
    assert max(released) <= 4
    while await expire_holds(shop.database, tenant_id, limit=4):
        pass
    assert await held(shop, member) == 10
    assert await count(shop, "holds WHERE status = 'EXPIRED'") == 15
    assert await expire_holds(shop.database, new_id(), limit=4) == 0


async def test_race_of_capture_release_and_expiry_has_one_winner(
    shop: Shop, member: UUID, owner_database_url: str
) -> None:
    for number in range(8):
        hold_id = (await hold(shop, f"h-{number}", member, 5)).hold.id
        if number % 2:
            await age(owner_database_url, hold_id)
        outcomes = await asyncio.gather(
            take(shop, f"c-{number}", hold_id),
            free(shop, f"r-{number}", hold_id),
            take(shop, f"d-{number}", hold_id),
            expire_holds(shop.database, shop.caller.tenant_id, limit=9),
            return_exceptions=True,
        )
        ended = [outcome for outcome in outcomes if isinstance(outcome, HoldOutcome)]
        lost = [outcome for outcome in outcomes if isinstance(outcome, HoldEnded)]
        assert (len(ended), len(lost)) == ((0, 3) if number % 2 else (1, 2))
        assert await held(shop, member) == 0
    taken = await count(shop, "reservations WHERE captured_minor IS NOT NULL")
    assert await balance(shop, member) == 100 - 5 * taken


async def test_concurrent_reservations_never_hold_more_than_there_is(
    shop: Shop, member: UUID
) -> None:
    outcomes = await asyncio.gather(
        *(hold(shop, f"h-{number}", member, 30) for number in range(10)), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, InsufficientBalance)]
    assert len(refused) == 7
    assert await held(shop, member) == 90


@pytest.mark.requirement("ALL-2")
async def test_repeats_replay_and_changed_ones_conflict(shop: Shop, member: UUID) -> None:
    first = await hold(shop, "h-1", member)
    again = await hold(shop, "h-1", member)
    assert again.idempotent_replay
    assert again.hold.id == first.hold.id
    with pytest.raises(IdempotencyConflict) as raised:
        await hold(shop, "h-1", member, 31, expires_in_seconds=61)
    assert raised.value.differing_fields == ("amount", "expiresInSeconds")
    taken = await take(shop, "c-1", first.hold.id, "10")
    assert (await take(shop, "c-1", first.hold.id, "10.00")).idempotent_replay
    with pytest.raises(IdempotencyConflict) as changed:
        await take(shop, "c-1", first.hold.id, "11")
    assert changed.value.differing_fields == ("amount",)
    # The reservation's answer is the hold as it stands now.
    assert (await hold(shop, "h-1", member)).hold.status is taken.hold.status
    assert await balance(shop, member) == 90


@pytest.mark.requirement("ALL-2")
async def test_passing_fault_captures_once(
    shop: Shop, member: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_id = (await hold(shop, "h-1", member)).hold.id
    fail_first_attempt(monkeypatch)
    assert not (await take(shop, "c-1", hold_id)).idempotent_replay
    assert await balance(shop, member) == 70


@pytest.mark.requirement("ALL-2")
async def test_lost_commit_reply_captures_once(
    shop: Shop, member: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold_id = (await hold(shop, "h-1", member)).hold.id
    lose_first_commit_reply(monkeypatch)
    assert not (await take(shop, "c-1", hold_id)).idempotent_replay
    assert await balance(shop, member) == 70


@pytest.mark.parametrize(
    ("fields", "path", "rule"),
    [
        ({"amount": Decimal(0)}, "amount", "range"),
        ({"amount": Decimal(-1)}, "amount", "range"),
        ({"amount": Decimal("NaN")}, "amount", "range"),
        ({"amount": Decimal("1.5")}, "amount", "decimals"),
        ({"amount": Decimal(10**20)}, "amount", "decimals"),
        ({"expires_in_seconds": 0}, "expiresInSeconds", "range"),
        ({"expires_in_seconds": 2_592_001}, "expiresInSeconds", "range"),
        ({"reason": "x" * 257}, "reason", "length"),
        ({"reason": NUL}, "reason", "characters"),
    ],
)
async def test_wrong_reservation_is_refused(
    shop: Shop, member: UUID, fields: dict[str, Any], path: str, rule: str
) -> None:
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await hold(shop, "h-1", member, **fields)
    assert [(error.path, error.rule) for error in raised.value.errors] == [(("input", path), rule)]
    assert await snapshot(shop.database) == before


async def test_wrong_capture_is_refused(shop: Shop, member: UUID) -> None:
    hold_id = (await hold(shop, "h-1", member)).hold.id
    before = await snapshot(shop.database)
    for amount, rule in (("0", "range"), ("31", "range"), ("1.5", "decimals")):
        with pytest.raises(InvalidInput) as raised:
            await take(shop, "c-1", hold_id, amount)
        assert [error.rule for error in raised.value.errors] == [rule]
    for end in (take, free):
        with pytest.raises(InvalidInput):
            await end(shop, "", hold_id)
    assert await snapshot(shop.database) == before


async def test_unknown_and_foreign_things_look_the_same(shop: Shop, member: UUID) -> None:
    hold_id = (await hold(shop, "h-1", member)).hold.id
    stranger = await open_shop(shop.database)
    before = await snapshot(shop.database)
    for who in (
        replace(shop, caller=shop.neighbor),
        stranger,
        replace(shop, caller=replace(shop.caller, partner_id=new_id(), tenant_id=new_id())),
    ):
        for end in (take, free):
            with pytest.raises((NotFound, asyncpg.ForeignKeyViolationError)):
                await end(who, "x-1", hold_id)
    for end in (take, free):
        for unknown in (None, new_id()):
            with pytest.raises(NotFound, match="No such hold") as raised:
                await end(shop, "x-1", unknown)
            assert raised.value.path == PATH
    for fields, path in (
        ({"asset_id": None}, "assetId"),
        ({"asset_id": points_of(stranger)}, "assetId"),
    ):
        with pytest.raises(NotFound) as refused:
            await hold(shop, "x-1", member, **fields)
        assert refused.value.path == ("input", path)
    with pytest.raises(NotFound) as nobody:
        await hold(shop, "x-1", new_id())
    assert nobody.value.path == ("input", "member")
    experience = shop.caller.standard_assets.experience_id
    with pytest.raises(InvalidInput) as unspendable:
        await hold(shop, "x-1", member, asset_id=experience)
    assert unspendable.value.errors[0].rule == "kind"
    assert await snapshot(shop.database) == before


async def test_without_the_hold_scope_nothing_is_held(shop: Shop, member: UUID) -> None:
    hold_id = (await hold(shop, "h-1", member)).hold.id
    powerless = replace(shop, caller=without(shop.caller, Scope.HOLD))
    before = await snapshot(shop.database)
    with pytest.raises(Forbidden, match="hold"):
        await hold(powerless, "h-2", member)
    for end in (take, free):
        with pytest.raises(Forbidden, match="hold"):
            await end(powerless, "x-1", hold_id)
    assert await snapshot(shop.database) == before
