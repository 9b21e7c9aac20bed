"""A member who has cards or labels needs an active one of each; a member without any is not affected (CAP-11)."""

from __future__ import annotations

import pytest

from gateway.access import Scope
from gateway.errors import AlreadyExists, Forbidden, InvalidInput, NotFound
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.model import BatchOutcome
from gateway.members.standing.model import Link, StandingKind, StandingStatus
from gateway.members.standing.setting import SetStanding, set_standing
from gateway.members.standing.store import fetch_links
from gateway.operations.model import IdempotencyConflict
from tests.catalog import Shop, open_shop
from tests.issuing_cases import set_links
from tests.use_cases import (
    NUL,
    SURROGATE,
    add_member,
    add_members,
    codes_of,
    count,
    issue,
    item,
    named,
    snapshot,
    without,
)

CARD, LABEL = StandingKind
ACTIVE, INACTIVE = StandingStatus


@pytest.mark.requirement("CAP-11")
@pytest.mark.parametrize(
    ("cards", "labels", "expected"),
    [
        ([], [], StatusCode.GRANTED),
        ([ACTIVE], [], StatusCode.GRANTED),
        ([INACTIVE, ACTIVE], [], StatusCode.GRANTED),
        ([INACTIVE, INACTIVE], [], StatusCode.CARD_INACTIVE),
        ([], [ACTIVE, INACTIVE], StatusCode.GRANTED),
        ([], [INACTIVE], StatusCode.LABEL_INACTIVE),
        ([ACTIVE], [INACTIVE], StatusCode.LABEL_INACTIVE),
        ([INACTIVE], [ACTIVE], StatusCode.CARD_INACTIVE),
        ([ACTIVE], [ACTIVE], StatusCode.GRANTED),
    ],
)
async def test_one_active_card_and_one_active_label_suffice(
    shop: Shop,
    cards: list[StandingStatus],
    labels: list[StandingStatus],
    expected: StatusCode,
) -> None:
    member_id, reward = await add_member(shop), await shop.create_reward()
    await set_links(shop, CARD, member_id, *((f"card-{n}", s) for n, s in enumerate(cards)))
    await set_links(shop, LABEL, member_id, *((f"label-{n}", s) for n, s in enumerate(labels)))
    before = await snapshot(shop.database)
    outcome = await issue(shop, "1", member_id, item(reward), item(reward))
    assert codes_of(outcome) == [expected] * 2
    if expected is not StatusCode.GRANTED:
        assert outcome.outcome is BatchOutcome.NONE
        assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-11")
async def test_links_are_replaced_as_a_whole(shop: Shop) -> None:
    member_id = await add_member(shop)
    await set_links(shop, CARD, member_id, ("1", ACTIVE), ("2", ACTIVE))
    await set_links(shop, CARD, member_id, ("2", INACTIVE), ("3", ACTIVE))
    async with shop.database.connection() as connection:
        cards = await fetch_links(connection, shop.caller.tenant_id, CARD, [member_id])
        labels = await fetch_links(connection, shop.caller.tenant_id, LABEL, [member_id])
    assert sorted(cards[member_id]) == [Link("2", INACTIVE), Link("3", ACTIVE)]
    assert labels == {member_id: []}
    await set_links(shop, CARD, member_id)
    assert await count(shop, "member_cards") == 0


@pytest.mark.requirement("CAP-11")
async def test_card_is_one_members_and_a_label_many_members(shop: Shop) -> None:
    ann, bob = await add_members(shop, 2)
    await set_links(shop, CARD, ann, ("1", ACTIVE))
    await set_links(shop, LABEL, ann, ("vip", ACTIVE))
    before = await snapshot(shop.database)
    with pytest.raises(AlreadyExists) as raised:
        await set_links(shop, CARD, bob, ("2", ACTIVE), ("1", INACTIVE))
    assert raised.value.path == ("input", "cards", "1", "number")
    assert await snapshot(shop.database) == before
    await set_links(shop, LABEL, bob, ("vip", INACTIVE))
    # Cards of another tenant have numbers of their own.
    other = await open_shop(shop.database)
    await set_links(other, CARD, await add_member(other), ("1", ACTIVE))


@pytest.mark.requirement("CAP-11", "ALL-2")
async def test_setting_is_done_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    await set_links(shop, CARD, member_id, ("1", ACTIVE), key="k")
    await set_links(shop, CARD, member_id)
    await set_links(shop, CARD, member_id, ("1", ACTIVE), key="k")
    assert await count(shop, "member_cards") == 0
    with pytest.raises(IdempotencyConflict) as raised:
        await set_links(shop, CARD, member_id, ("1", INACTIVE), key="k")
    assert raised.value.differing_fields == ("cards",)


async def test_malformed_links_are_named_by_path(shop: Shop) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    for links, path in (
        ([("", ACTIVE)], ("input", "labels", "0", "name")),
        ([("a", ACTIVE), (NUL, ACTIVE)], ("input", "labels", "1", "name")),
        ([(SURROGATE, ACTIVE)], ("input", "labels", "0", "name")),
        ([("x" * 129, ACTIVE)], ("input", "labels", "0", "name")),
        ([("a", ACTIVE), ("a", INACTIVE)], ("input", "labels", "1", "name")),
        ([(str(n), ACTIVE) for n in range(101)], ("input", "labels")),
    ):
        with pytest.raises(InvalidInput) as raised:
            await set_links(shop, LABEL, member_id, *links)
        assert raised.value.path == path
    with pytest.raises(NotFound) as missing:
        await set_links(shop, LABEL, new_id(), ("a", ACTIVE))
    assert missing.value.path == ("input", "member")
    assert await snapshot(shop.database) == before


async def test_scope_is_needed(shop: Shop) -> None:
    member_id = await add_member(shop)
    command = SetStanding("1", CARD, named(member_id), [Link("1", ACTIVE)])
    with pytest.raises(Forbidden):
        await set_standing(shop.database, without(shop.caller, Scope.MEMBERS), command)
    assert await count(shop, "member_cards") == 0
