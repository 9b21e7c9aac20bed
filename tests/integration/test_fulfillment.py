"""An issued reward is at a declared stage, moves along, and remembers where it was (CAP-15)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from uuid import UUID

import pytest

from gateway.access import Scope
from gateway.errors import Forbidden, InvalidInput, NotFound
from gateway.grants.filter import GrantFilter
from gateway.grants.list_store import count_grants, fetch_grant_page
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.fulfillment.defining import DefineStage, define_fulfillment_stage
from gateway.issuing.fulfillment.model import STAGES_MAX
from gateway.issuing.fulfillment.store import fetch_fulfillments, fetch_stages
from gateway.issuing.fulfillment.updating import (
    UpdatedFulfillment,
    UpdateFulfillment,
    update_fulfillment,
)
from gateway.operations.model import IdempotencyConflict
from gateway.storage.database import Database
from gateway.storage.pages import PageRequest
from tests.catalog import Shop, open_shop
from tests.issuing_cases import declare_stages
from tests.use_cases import (
    NUL,
    add_member,
    codes_of,
    count,
    find_broken,
    grant,
    issue,
    item,
    manual,
    reverse,
    snapshot,
    without,
)


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    shop = await open_shop(database)
    await declare_stages(shop, "BOOKED", "ON THE WAY", "DELIVERED")
    yield shop
    assert await find_broken(database) == {}


async def issue_one(shop: Shop, stage: str | None = None) -> UUID:
    member_id, reward = await add_member(shop), await shop.create_reward()
    outcome = await issue(shop, str(new_id()), member_id, item(reward, fulfillment_stage=stage))
    made = outcome.items[0].grant
    assert made is not None
    return made.id


async def move(
    shop: Shop, grant_id: UUID | None, stage: str, note: str | None = None, key: str | None = None
) -> UpdatedFulfillment:
    command = UpdateFulfillment(key or str(new_id()), grant_id, stage, note)
    return await update_fulfillment(shop.database, shop.caller, command)


async def history(shop: Shop, grant_id: UUID) -> list[tuple[str, str | None]]:
    async with shop.database.connection() as connection:
        found = await fetch_fulfillments(connection, shop.caller.tenant_id, [grant_id])
    if grant_id not in found:
        return []
    assert found[grant_id].stage == found[grant_id].steps[-1].stage
    return [(step.stage, step.note) for step in found[grant_id].steps]


async def stages(shop: Shop) -> list[str]:
    async with shop.database.connection() as connection:
        scope = (shop.caller.tenant_id, shop.caller.organization_id)
        return [stage.name for stage in await fetch_stages(connection, *scope)]


@pytest.mark.requirement("CAP-15")
async def test_grant_begins_at_the_first_stage_or_the_one_named(shop: Shop) -> None:
    assert await history(shop, await issue_one(shop)) == [("BOOKED", None)]
    assert await history(shop, await issue_one(shop, "DELIVERED")) == [("DELIVERED", None)]


@pytest.mark.requirement("CAP-15")
async def test_unknown_stage_fails_that_item(shop: Shop) -> None:
    member_id, reward = await add_member(shop), await shop.create_reward()
    outcome = await issue(
        shop, "1", member_id, item(reward, fulfillment_stage="LOST"), item(reward)
    )
    assert codes_of(outcome) == [StatusCode.STAGE_NOT_FOUND, StatusCode.GRANTED]
    assert await count(shop, "fulfillments") == 1


@pytest.mark.requirement("CAP-15")
async def test_grant_moves_both_ways_and_remembers(shop: Shop) -> None:
    grant_id = await issue_one(shop)
    await move(shop, grant_id, "ON THE WAY", "parcel 12")
    await move(shop, grant_id, "DELIVERED")
    await move(shop, grant_id, "ON THE WAY", "wrong door")
    assert await history(shop, grant_id) == [
        ("BOOKED", None),
        ("ON THE WAY", "parcel 12"),
        ("DELIVERED", None),
        ("ON THE WAY", "wrong door"),
    ]


@pytest.mark.requirement("CAP-15")
async def test_grant_of_any_source_and_status_can_be_fulfilled(shop: Shop) -> None:
    member_id, reward = await add_member(shop), await shop.create_reward()
    made = (await grant(shop, manual("1", member_id, reward.id))).grant
    assert await history(shop, made.id) == []
    await move(shop, made.id, "DELIVERED")
    await reverse(shop, "1", made.id)
    await move(shop, made.id, "ON THE WAY", "comes back")
    assert await history(shop, made.id) == [("DELIVERED", None), ("ON THE WAY", "comes back")]


@pytest.mark.requirement("CAP-15")
async def test_without_stages_there_is_no_fulfillment(shop: Shop) -> None:
    neighbors = Shop(shop.database, shop.neighbor, shop.caller)
    grant_id = await issue_one(neighbors)
    assert await history(shop, grant_id) == []
    with pytest.raises(InvalidInput) as raised:
        await move(neighbors, grant_id, "BOOKED")
    assert raised.value.path == ("input", "stage")


@pytest.mark.requirement("CAP-15")
async def test_grants_are_found_by_stage(shop: Shop) -> None:
    booked, moved, delivered = [await issue_one(shop) for _ in range(3)]
    await move(shop, moved, "ON THE WAY")
    await move(shop, delivered, "DELIVERED")

    async def find(*names: str) -> set[UUID]:
        wanted = GrantFilter(stages=names)
        async with shop.database.connection() as connection:
            page = await fetch_grant_page(connection, shop.caller, wanted, PageRequest(10))
            assert await count_grants(connection, shop.caller, wanted) == len(page.items)
        return {found.id for found in page.items}

    assert await find("BOOKED") == {booked}
    assert await find("ON THE WAY", "DELIVERED") == {moved, delivered}
    assert await find("LOST") == set()
    assert await find() == set()


@pytest.mark.requirement("CAP-15")
async def test_stages_are_in_order_of_their_places(shop: Shop) -> None:
    assert await stages(shop) == ["BOOKED", "ON THE WAY", "DELIVERED"]
    await define_fulfillment_stage(
        shop.database, shop.caller, DefineStage("1", "DELIVERED", position=1)
    )
    await define_fulfillment_stage(
        shop.database, shop.caller, DefineStage("2", "BOOKED", position=9)
    )
    assert await stages(shop) == ["DELIVERED", "ON THE WAY", "BOOKED"]
    again = await define_fulfillment_stage(shop.database, shop.caller, DefineStage("3", "BOOKED"))
    assert again.stage.position == 9
    assert await history(shop, await issue_one(shop)) == [("DELIVERED", None)]


@pytest.mark.requirement("CAP-15", "ALL-2")
async def test_move_is_made_once(shop: Shop) -> None:
    grant_id = await issue_one(shop)
    first = await move(shop, grant_id, "DELIVERED", key="1")
    again = await move(shop, grant_id, "DELIVERED", key="1")
    assert (first.idempotent_replay, again.idempotent_replay) == (False, True)
    with pytest.raises(IdempotencyConflict) as raised:
        await move(shop, grant_id, "BOOKED", key="1")
    assert raised.value.differing_fields == ("stage",)
    assert await history(shop, grant_id) == [("BOOKED", None), ("DELIVERED", None)]


@pytest.mark.requirement("CAP-15")
async def test_concurrent_moves_are_all_remembered(shop: Shop) -> None:
    grant_id = await issue_one(shop)
    names = ["ON THE WAY", "DELIVERED"] * 10
    await asyncio.gather(*(move(shop, grant_id, name) for name in names))
    assert sorted(stage for stage, _ in await history(shop, grant_id)) == sorted(["BOOKED", *names])


@pytest.mark.requirement("CAP-15", "MON-13")
async def test_unknown_or_foreign_grant_is_not_found(shop: Shop) -> None:
    grant_id = await issue_one(shop)
    neighbors = Shop(shop.database, shop.neighbor, shop.caller)
    await declare_stages(neighbors, "BOOKED")
    before = await snapshot(shop.database)
    for wanted, who in ((grant_id, neighbors), (new_id(), shop), (None, shop)):
        with pytest.raises(NotFound) as raised:
            await move(who, wanted, "BOOKED")
        assert raised.value.path == ("input", "grantId")
    assert await snapshot(shop.database) == before


async def test_malformed_moves_and_stages_are_named_by_path(shop: Shop) -> None:
    grant_id = await issue_one(shop)
    before = await snapshot(shop.database)
    for command, path in (
        (UpdateFulfillment("1", grant_id, NUL), ("input", "stage")),
        (UpdateFulfillment("1", grant_id, "BOOKED", NUL), ("input", "note")),
        (UpdateFulfillment("1", grant_id, "LOST"), ("input", "stage")),
        (UpdateFulfillment("", grant_id, "BOOKED"), ("input", "requestId")),
    ):
        with pytest.raises(InvalidInput) as raised:
            await update_fulfillment(shop.database, shop.caller, command)
        assert raised.value.path == path
    for stage, path in (
        (DefineStage("1", ""), ("input", "name")),
        (DefineStage("1", "x" * 65), ("input", "name")),
        (DefineStage("1", "LATE", 0), ("input", "position")),
        (DefineStage("1", "LATE", 1_000_001), ("input", "position")),
    ):
        with pytest.raises(InvalidInput) as raised:
            await define_fulfillment_stage(shop.database, shop.caller, stage)
        assert raised.value.path == path
    assert await snapshot(shop.database) == before


async def test_organization_has_a_bounded_number_of_stages(shop: Shop) -> None:
    await declare_stages(shop, *(f"stage-{number}" for number in range(STAGES_MAX - 3)))
    with pytest.raises(InvalidInput, match="at most 100"):
        await declare_stages(shop, "one-more")
    await declare_stages(shop, "BOOKED")


async def test_scopes_are_needed(shop: Shop) -> None:
    grant_id = await issue_one(shop)
    with pytest.raises(Forbidden):
        await update_fulfillment(
            shop.database,
            without(shop.caller, Scope.ISSUE),
            UpdateFulfillment("1", grant_id, "BOOKED"),
        )
    with pytest.raises(Forbidden):
        await define_fulfillment_stage(
            shop.database, without(shop.caller, Scope.CATALOG), DefineStage("1", "LATE")
        )


@pytest.mark.requirement("CAP-15")
async def test_replayed_issuance_does_not_begin_again(shop: Shop) -> None:
    member_id, reward = await add_member(shop), await shop.create_reward()
    first = await issue(shop, "1", member_id, item(reward))
    again = await issue(shop, "1", member_id, item(reward))
    assert again == replace(first, idempotent_replay=True)
    assert await count(shop, "fulfillment_steps") == 1
