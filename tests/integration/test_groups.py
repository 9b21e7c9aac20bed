"""A group redeems from its own account, which its members fill (CAP-12)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.access import Scope
from gateway.errors import AlreadyExists, Forbidden, InvalidInput, NotFound
from gateway.grants.errors import InsufficientBalance
from gateway.ids import new_id
from gateway.issuing.funding import FundGroup, fund_group
from gateway.issuing.model import BatchOutcome
from gateway.ledger.model import OwnerKind
from gateway.members.groups.creating import CreateGroup, create_group
from gateway.members.groups.model import GroupReference
from gateway.members.membership.model import MemberSet, MembershipChange
from gateway.operations.model import IdempotencyConflict
from gateway.storage.database import Database
from gateway.verifying.verify import verify
from tests.catalog import Shop, open_shop
from tests.issuing_cases import add_group, by_id, change_members, fund, mug
from tests.use_cases import (
    NUL,
    add_member,
    add_members,
    balance,
    cash_of,
    costing,
    count,
    find_broken,
    give_points,
    issue,
    item,
    named,
    points_of,
    reverse,
    snapshot,
    without,
)

GROUP = OwnerKind.GROUP
PATH = ("input", "group")


@pytest.fixture
async def shop(database: Database) -> AsyncIterator[Shop]:
    yield await open_shop(database)
    assert await find_broken(database) == {}
    assert await verify(database) == []


@pytest.mark.requirement("CAP-12")
@pytest.mark.parametrize("way", ["id", "external id", "primary member"])
async def test_group_pays_however_it_is_named(shop: Shop, way: str) -> None:
    ann, bob = await add_members(shop, 2)
    await give_points(shop, ann, 100)
    await give_points(shop, bob, 100)
    group = await add_group(shop, ann, bob, external_id="family-1")
    await fund(shop, group.id, ann, 30)
    reference = {
        "id": by_id(group.id),
        "external id": GroupReference(external_id="family-1"),
        "primary member": GroupReference(primary_member=named(ann)),
    }[way]
    reward = await mug(shop, payment_configs=costing(shop, 12))
    outcome = await issue(shop, "1", bob, item(reward), group=reference)
    (result,) = outcome.items
    assert result.grant is not None
    assert result.grant.member_id == bob
    assert result.grant.details["group_id"] == str(group.id)
    assert await balance(shop, group.id, kind=GROUP) == 18
    assert (await balance(shop, ann), await balance(shop, bob)) == (70, 100)
    events = await shop.database.fetch("SELECT payload FROM outbox_events WHERE kind = 'ISSUANCE'")
    assert [event["payload"] for event in events] == [
        {
            "grantIds": [str(result.grant.id)],
            "memberId": str(bob),
            "groupRedemption": True,
            "groupId": str(group.id),
        }
    ]
    (row,) = await shop.database.fetch("SELECT group_redemption FROM issuances")
    assert row["group_redemption"]
    again = await issue(shop, "1", bob, item(reward), group=reference)
    assert again == replace(outcome, idempotent_replay=True)


@pytest.mark.requirement("CAP-12")
async def test_without_a_group_the_member_pays_and_nothing_is_flagged(shop: Shop) -> None:
    ann = await add_member(shop)
    await give_points(shop, ann, 100)
    await add_group(shop, ann)
    reward = await mug(shop, payment_configs=costing(shop, 12))
    await issue(shop, "1", ann, item(reward))
    assert await balance(shop, ann) == 88
    (row,) = await shop.database.fetch("SELECT payload FROM outbox_events WHERE kind = 'ISSUANCE'")
    assert "groupRedemption" not in row["payload"]
    (row,) = await shop.database.fetch("SELECT group_redemption FROM issuances")
    assert not row["group_redemption"]


@pytest.mark.requirement("CAP-12", "CAP-2")
async def test_poor_group_of_a_rich_member_is_refused(shop: Shop) -> None:
    ann = await add_member(shop)
    await give_points(shop, ann, 100)
    group = await add_group(shop, ann)
    await fund(shop, group.id, ann, 5)
    reward = await mug(shop, payment_configs=costing(shop, 3))
    before = await snapshot(shop.database)
    with pytest.raises(InsufficientBalance) as raised:
        await issue(shop, "1", ann, item(reward), item(reward), group=by_id(group.id))
    (short,) = raised.value.shortfalls
    assert (short.required_minor, short.available_minor, short.missing_minor) == (6, 5, 1)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-12")
async def test_member_outside_of_the_group_is_answered_as_if_there_were_none(shop: Shop) -> None:
    ann, stranger = await add_members(shop, 2)
    group = await add_group(shop, ann, external_id="family-1")
    other = await open_shop(shop.database)
    foreign = await add_group(other, await add_member(other), external_id="family-2")
    reward = await shop.create_reward()
    before = await snapshot(shop.database)
    for reference in (
        by_id(group.id),
        GroupReference(external_id="family-1"),
        GroupReference(primary_member=named(ann)),
        GroupReference(primary_member=named(stranger)),
        GroupReference(primary_member=named(new_id())),
        GroupReference(external_id="family-2"),
        by_id(foreign.id),
        GroupReference(id_as_sent="nonsense"),
    ):
        with pytest.raises(NotFound) as raised:
            await issue(shop, "1", stranger, item(reward), group=reference)
        assert raised.value.path == PATH
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-12", "ALL-4")
async def test_reversal_pays_the_group_back(shop: Shop) -> None:
    ann = await add_member(shop)
    await give_points(shop, ann, 20)
    group = await add_group(shop, ann)
    await fund(shop, group.id, ann, 20)
    reward = await mug(shop, payment_configs=costing(shop, 12))
    outcome = await issue(shop, "1", ann, item(reward), group=by_id(group.id))
    made = outcome.items[0].grant
    assert made is not None
    await reverse(shop, "1", made.id)
    assert await balance(shop, group.id, kind=GROUP) == 20
    assert await balance(shop, ann) == 0


@pytest.mark.requirement("CAP-4", "CAP-12")
async def test_members_of_a_group_never_spend_the_same_points(shop: Shop) -> None:
    members = await add_members(shop, 5)
    await give_points(shop, members[0], 100)
    group = await add_group(shop, *members)
    await fund(shop, group.id, members[0], 100)
    reward = await mug(shop, payment_configs=costing(shop, 15))
    outcomes = await asyncio.gather(
        *(
            issue(shop, str(key), members[key % 5], item(reward), group=by_id(group.id))
            for key in range(10)
        ),
        return_exceptions=True,
    )
    refused = [one for one in outcomes if isinstance(one, InsufficientBalance)]
    assert len(refused) == 4
    assert all(one.outcome is BatchOutcome.ALL for one in outcomes if one not in refused)  # type: ignore[union-attr]
    assert await balance(shop, group.id, kind=GROUP) == 10


@pytest.mark.requirement("CAP-12")
async def test_funding_moves_points_once(shop: Shop) -> None:
    ann = await add_member(shop)
    await give_points(shop, ann, 10)
    group = await add_group(shop, ann)
    first = await fund(shop, group.id, ann, 7, request_id="1")
    again = await fund(shop, group.id, ann, "7.0", request_id="1")
    assert again == replace(first, idempotent_replay=True)
    assert (await balance(shop, ann), await balance(shop, group.id, kind=GROUP)) == (3, 7)
    with pytest.raises(IdempotencyConflict) as raised:
        await fund(shop, group.id, ann, 8, request_id="1")
    assert raised.value.differing_fields == ("amount",)


@pytest.mark.requirement("CAP-12")
async def test_funding_that_cannot_be_changes_nothing(shop: Shop) -> None:
    ann, stranger = await add_members(shop, 2)
    await give_points(shop, ann, 10)
    await give_points(shop, stranger, 10)
    group = await add_group(shop, ann)
    before = await snapshot(shop.database)
    with pytest.raises(InsufficientBalance) as short:
        await fund(shop, group.id, ann, 11)
    assert short.value.path == ("input", "amount")
    for group_id, member_id, path in (
        (group.id, stranger, PATH),
        (new_id(), ann, PATH),
        (group.id, new_id(), ("input", "member")),
    ):
        with pytest.raises(NotFound) as missing:
            await fund(shop, group_id, member_id, 1)
        assert missing.value.path == path
    for amount in ("0", "-1", "0.5", "1E+30", "NaN", "Infinity"):
        with pytest.raises(InvalidInput) as raised:
            await fund(shop, group.id, ann, amount)
        assert raised.value.path == ("input", "amount")
    for asset_id in (new_id(), None, cash_of(shop)):
        with pytest.raises(InvalidInput) as raised:
            await fund(shop, group.id, ann, 1, asset_id=asset_id)
        assert raised.value.path == ("input", "assetId")
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-12")
async def test_group_names_are_unique(shop: Shop) -> None:
    ann, bob = await add_members(shop, 2)
    await add_group(shop, ann, external_id="family-1")
    before = await snapshot(shop.database)
    for primary, external_id in ((bob, "family-1"), (ann, "family-2"), (ann, None)):
        with pytest.raises(AlreadyExists):
            await add_group(shop, primary, external_id=external_id)
    for members, path in (
        ([new_id()], ("input", "primaryMember")),
        ([bob, bob, new_id()], ("input", "members", "1")),
    ):
        with pytest.raises(InvalidInput) as raised:
            await add_group(shop, *members)
        assert raised.value.path == path
    for fields in ({"external_id": ""}, {"external_id": NUL}, {"name": "x" * 201}):
        with pytest.raises(InvalidInput):
            await add_group(shop, bob, **fields)
    with pytest.raises(InvalidInput) as raised:
        await add_group(shop, bob, *[ann] * 1_001)
    assert raised.value.path == ("input", "members")
    assert await snapshot(shop.database) == before
    # A member may be in several groups.
    await add_group(shop, bob, ann)


@pytest.mark.requirement("CAP-12")
async def test_who_leaves_a_group_cannot_redeem_from_it_and_the_primary_stays(shop: Shop) -> None:
    ann, bob = await add_members(shop, 2)
    group = await add_group(shop, ann, bob)
    reward = await shop.create_reward()
    await issue(shop, "1", bob, item(reward), group=by_id(group.id))
    await change_members(shop, MemberSet.GROUP, group.id)
    with pytest.raises(NotFound):
        await issue(shop, "2", bob, item(reward), group=by_id(group.id))
    await issue(shop, "3", ann, item(reward), group=by_id(group.id))
    with pytest.raises(InvalidInput) as raised:
        await change_members(
            shop, MemberSet.GROUP, group.id, bob, ann, change=MembershipChange.REMOVE
        )
    assert raised.value.path == ("input", "memberIds", "1")
    with pytest.raises(NotFound) as missing:
        await change_members(shop, MemberSet.GROUP, new_id(), ann)
    assert missing.value.path == ("input", "groupId")


async def test_scope_is_needed(shop: Shop) -> None:
    ann = await add_member(shop)
    caller = without(shop.caller, Scope.MEMBERS)
    with pytest.raises(Forbidden):
        await create_group(shop.database, caller, CreateGroup("1", named(ann)))
    command = FundGroup("1", by_id(new_id()), named(ann), points_of(shop), Decimal(1))
    with pytest.raises(Forbidden):
        await fund_group(shop.database, caller, command)
    assert await count(shop, "groups") == 0


@pytest.mark.requirement("CAP-12", "ALL-2")
async def test_group_is_made_once(shop: Shop) -> None:
    ann, bob = await add_members(shop, 2)
    command = CreateGroup("1", named(ann), [named(bob)], "family-1", "The Ann family")
    first = await create_group(shop.database, shop.caller, command)
    again = await create_group(shop.database, shop.caller, command)
    assert again == replace(first, idempotent_replay=True)
    assert await count(shop, "group_members") == 2
    with pytest.raises(IdempotencyConflict) as raised:
        await create_group(shop.database, shop.caller, replace(command, members=[]))
    assert raised.value.differing_fields == ("members",)
