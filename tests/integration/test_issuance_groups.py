"""Concurrent issuances share commits; each answers as if it had been alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.errors import NotFound
from gateway.grants.errors import InsufficientBalance
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.groups import IssuanceGroups, may_share
from gateway.issuing.issue_rewards import issue_rewards
from gateway.issuing.model import (
    BatchOutcome,
    IssuanceOutcome,
    IssueCommand,
    IssueItem,
    PaymentChoice,
)
from gateway.members.groups.model import GroupReference
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import Reward, RewardStatus
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.updating import UpdateReward, update_reward
from tests.catalog import Shop
from tests.issuing_cases import declare_stages, declare_till, mug
from tests.use_cases import (
    add_member,
    add_members,
    balance,
    codes_of,
    costing,
    count,
    count_commits,
    counting,
    distribute,
    find_broken,
    give_points,
    item,
    line,
    named,
)

CALLS = 40


class Till:
    """Issues as one caller, with everything that is asked for at once in groups."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.groups = IssuanceGroups(shop.database)

    async def issue(
        self, key: str, member_id: UUID, *items: IssueItem, **fields: Any
    ) -> IssuanceOutcome:
        command = IssueCommand(key, named(member_id), items, **fields)
        return await issue_rewards(
            self.shop.database, self.shop.caller, command, groups=self.groups
        )

    async def at_once(self, *calls: tuple[Any, ...]) -> list[Any]:
        return await asyncio.gather(
            *(self.issue(key, member_id, *items) for key, member_id, *items in calls),
            return_exceptions=True,
        )


async def give_all(shop: Shop, members: Sequence[UUID], points: int) -> None:
    await distribute(shop, str(new_id()), *(line(shop, member, points) for member in members))


def outcomes_of(answers: Sequence[Any]) -> Counter[str]:
    """Count answers by how much was issued, or by the name of the error."""
    return Counter(
        answer.outcome.value if isinstance(answer, IssuanceOutcome) else type(answer).__name__
        for answer in answers
    )


@pytest.mark.requirement("ALL-2", "CAP-4")
async def test_issuances_at_once_share_commits(shop: Shop) -> None:
    """Forty issuances take far fewer commits, each is paid for once, and each gives what it says."""
    members = await add_members(shop, CALLS // 2)
    await give_all(shop, members, 100)
    reward = await mug(shop, payment_configs=costing(shop, 7))
    answers = await Till(shop).at_once(
        *(
            (f"k{number}", members[number // 2], item(reward), item(reward))
            for number in range(CALLS)
        )
    )
    assert outcomes_of(answers) == {"ALL": CALLS}
    grants = [result.grant for answer in answers for result in answer.items]
    assert len({grant.id for grant in grants}) == 2 * CALLS
    assert [await balance(shop, member) for member in members] == [100 - 4 * 7] * len(members)
    assert await count(shop, "issuances") == CALLS
    # Two that found the queue idle, and the others in groups.
    assert await count_commits(shop, "issuances") <= 5
    assert await find_broken(shop.database) == {}


@pytest.mark.requirement("CAP-16")
async def test_issuances_of_a_group_look_their_tills_up_together(
    shop: Shop, database_url: str
) -> None:
    """Tills that are looked up cost a group one statement, however many; where none is declared, any name will do."""
    members = await add_members(shop, CALLS)
    reward = await mug(shop)
    async with counting(database_url) as (database, statements):
        till = Till(replace(shop, database=database))
        answers = await asyncio.gather(
            *(
                till.issue(f"k{number}", member, item(reward), till=f"Till {number}")
                for number, member in enumerate(members)
            ),
            return_exceptions=True,
        )
        looked_up = sum("FROM tills" in statement for statement in statements)
        claimed = sum("INSERT INTO operations" in statement for statement in statements)
    assert outcomes_of(answers) == {"ALL": CALLS}
    # Each database transaction once, whatever the number of calls in it.
    assert looked_up == claimed < 10


@pytest.mark.requirement("CAP-2", "CAP-4")
async def test_one_members_issuances_see_each_other_in_a_group(shop: Shop) -> None:
    """Whoever has points for seven of forty is issued seven, whole calls each; the others are refused and free their keys."""
    member = await add_member(shop)
    await give_points(shop, member, 7 * 10 + 9)
    cheap, dear = [await mug(shop, payment_configs=costing(shop, price)) for price in (3, 7)]
    till = Till(shop)
    answers = await till.at_once(
        *((f"k{number}", member, item(cheap), item(dear)) for number in range(CALLS))
    )
    assert outcomes_of(answers) == {"ALL": 7, "InsufficientBalance": CALLS - 7}
    assert await balance(shop, member) == 9
    short = next(answer for answer in answers if isinstance(answer, InsufficientBalance))
    assert (short.shortfalls[0].required_minor, short.shortfalls[0].available_minor) == (10, 9)
    await give_points(shop, member, 1)
    refused = [
        number for number, answer in enumerate(answers) if isinstance(answer, InsufficientBalance)
    ]
    again = await till.issue(f"k{refused[0]}", member, item(cheap), item(dear))
    assert (again.outcome, again.idempotent_replay) == (BatchOutcome.ALL, False)
    assert await balance(shop, member) == 0
    assert await find_broken(shop.database) == {}


@pytest.mark.requirement("CAP-2", "CAP-3")
async def test_what_one_gives_another_of_the_group_can_spend(shop: Shop) -> None:
    """Issuances of a group are done in order: points that the first gives are there for those after it."""
    member = await add_member(shop)
    gift = await shop.create_reward()
    dear = await mug(shop, payment_configs=costing(shop, 10))
    others = await add_members(shop, 2)
    till = Till(shop)
    answers = await till.at_once(
        ("first", others[0], item(gift)),
        ("second", others[1], item(gift)),
        ("gift", member, item(gift)),
        ("spent", member, item(dear)),
        ("too late", member, item(dear)),
        *((f"more {number}", others[0], item(gift)) for number in range(3)),
    )
    assert outcomes_of(answers) == {"ALL": 7, "InsufficientBalance": 1}
    assert isinstance(answers[4], InsufficientBalance)
    assert await balance(shop, member) == 0
    assert await find_broken(shop.database) == {}


@pytest.mark.requirement("ALL-2", "CAP-2", "CAP-8")
async def test_each_of_a_group_keeps_its_own_failure(shop: Shop) -> None:
    """Unknown members, empty purses, nothing left, conflicts and replays stand beside issuances that succeed."""
    poor, *members = await add_members(shop, 9)
    await give_all(shop, members, 100)
    reward = await mug(shop, payment_configs=costing(shop, 5))
    empty = await shop.create_reward(ProductConfiguration(await shop.create_product(0)))
    till = Till(shop)
    first = await till.issue("known", members[0], item(reward))
    calls = [
        *((f"k{number}", members[number], item(reward)) for number in range(4)),
        ("known", members[0], item(reward)),
        ("nobody", new_id(), item(reward)),
        ("poor", poor, item(reward)),
        ("sold out", members[4], item(empty)),
        ("changed", members[4], item(reward), item(empty)),
        ("known", members[1], item(reward)),
        *((f"k{number}", members[number], item(reward)) for number in range(4, 8)),
    ]
    answers = await till.at_once(*calls)
    replay, nobody, short, sold_out, partial, conflict = answers[4:10]
    assert outcomes_of(answers[:4] + answers[10:]) == {"ALL": 8}
    assert (replay.items[0].grant, replay.idempotent_replay) == (first.items[0].grant, True)
    assert isinstance(nobody, NotFound)
    assert isinstance(short, InsufficientBalance)
    assert (sold_out.outcome, codes_of(sold_out)) == (BatchOutcome.NONE, [StatusCode.OUT_OF_STOCK])
    assert codes_of(partial) == [StatusCode.GRANTED, StatusCode.OUT_OF_STOCK]
    assert isinstance(conflict, IdempotencyConflict)
    keys = {row["key"] for row in await shop.database.fetch("SELECT key FROM operations")}
    assert keys.isdisjoint({"nobody", "poor", "sold out"})
    assert sum([await balance(shop, member) for member in members]) == 800 - 5 * (1 + 8 + 1)
    assert await count(shop, "issuances") == 1 + 8 + 1
    assert await find_broken(shop.database) == {}


@pytest.mark.requirement("CAP-8")
async def test_one_key_at_once_runs_once(shop: Shop) -> None:
    """Concurrent duplicates of a call, and of an item in different calls: one does the work, the others replay it."""
    member = await add_member(shop)
    await give_points(shop, member, 100)
    reward = await mug(shop, payment_configs=costing(shop, 1))
    till = Till(shop)
    same = await till.at_once(*[("same", member, item(reward))] * CALLS)
    assert [answer.idempotent_replay for answer in same].count(False) == 1
    keyed = item(reward, request_id="receipt 1")
    calls = [(f"k{number}", member, keyed, item(reward)) for number in range(CALLS)]
    answers = await till.at_once(*calls)
    assert outcomes_of(answers) == {"ALL": CALLS}
    assert [answer.items[0].idempotent_replay for answer in answers].count(False) == 1
    assert len({answer.items[0].grant.id for answer in answers}) == 1
    assert await balance(shop, member) == 100 - 1 - 1 - CALLS
    assert await find_broken(shop.database) == {}


@pytest.mark.requirement("MON-10", "CAP-3")
async def test_coupons_in_groups_are_given_once(shop: Shop) -> None:
    """Ten codes for twenty members who ask twice: ten are paid for, asked again they are shown, ten find the pool empty."""
    members = await add_members(shop, 20)
    await give_all(shop, members, 10)
    pool = await shop.create_pool(*(f"C{number}" for number in range(10)))
    reward = await shop.create_reward(
        UniqueCouponConfiguration(pool), payment_configs=costing(shop, 4)
    )
    till = Till(shop)
    answers = await till.at_once(
        *((f"{turn} {member}", member, item(reward)) for turn in range(2) for member in members)
    )
    statuses = Counter(code for answer in answers for code in codes_of(answer))
    assert statuses == {
        StatusCode.GRANTED: 10,
        StatusCode.ALREADY_ISSUED: 10,
        StatusCode.POOL_EXHAUSTED: 20,
    }
    assert sum([await balance(shop, member) for member in members]) == 200 - 40
    assert await find_broken(shop.database) == {}


async def test_a_call_that_cannot_pay_takes_no_coupon_from_its_neighbors(shop: Shop) -> None:
    """The last code goes to who can pay for it, though one who cannot has asked in the same group before."""
    poor, rich, *others = await add_members(shop, 6)
    await give_all(shop, [rich, *others], 10)
    pool = await shop.create_pool("LAST")
    coupon = await shop.create_reward(
        UniqueCouponConfiguration(pool), payment_configs=costing(shop, 4)
    )
    other = await mug(shop, payment_configs=costing(shop, 1))
    till = Till(shop)
    answers = await till.at_once(
        *((f"other {member}", member, item(other)) for member in others[:2]),
        ("poor", poor, item(coupon)),
        ("rich", rich, item(other), item(coupon)),
        *((f"more {member}", member, item(other)) for member in others),
    )
    outcomes = outcomes_of(answers)
    # Done again alone, the two run at once: who cannot pay hears that, or that the code is gone, if the other was faster.
    assert outcomes.pop("InsufficientBalance", 0) + outcomes.pop("NONE", 0) == 1
    assert outcomes == {"ALL": 7}
    assert codes_of(answers[3]) == [StatusCode.GRANTED] * 2
    assert await find_broken(shop.database) == {}


@pytest.mark.requirement("MON-10")
async def test_a_code_that_another_has_locked_is_passed_over_while_there_are_others(
    shop: Shop,
) -> None:
    (member,) = await add_members(shop, 1)
    pool = await shop.create_pool("FIRST", "SECOND")
    coupon = await shop.create_reward(UniqueCouponConfiguration(pool))
    async with shop.database.transaction() as connection:
        locked_id = await connection.fetchval(
            "SELECT id FROM codes WHERE pool_id = $1 ORDER BY id LIMIT 1 FOR UPDATE", pool
        )
        async with asyncio.timeout(4):
            answer = await Till(shop).issue("key", member, item(coupon))
    assert codes_of(answer) == [StatusCode.GRANTED]
    grant = answer.items[0].grant
    assert grant is not None
    assert grant.benefits[0]["code_id"] != str(locked_id)


@pytest.mark.requirement("MON-10")
async def test_a_code_that_is_only_locked_is_waited_for(shop: Shop) -> None:
    """What another gateway has locked and leaves is given, also where a neighbor of the group has found a code at once."""
    first, second, *others = await add_members(shop, 6)
    locked, free = [await shop.create_pool(code) for code in ("LOCKED", "FREE")]
    wanted, easy = [
        await shop.create_reward(UniqueCouponConfiguration(pool)) for pool in (locked, free)
    ]
    plain = await mug(shop)
    till = Till(shop)
    async with shop.database.transaction() as connection:
        await connection.execute("SELECT FROM codes WHERE pool_id = $1 FOR UPDATE", locked)
        asked = asyncio.create_task(
            till.at_once(
                *((f"other {member}", member, item(plain)) for member in others[:2]),
                ("wanted", first, item(plain), item(wanted)),
                ("easy", second, item(easy)),
                *((f"more {member}", member, item(plain)) for member in others),
            )
        )
        await asyncio.sleep(0.3)
    answers = await asked
    assert outcomes_of(answers) == {"ALL": 8}
    assert codes_of(answers[2]) == [StatusCode.GRANTED] * 2
    assert await find_broken(shop.database) == {}


@pytest.mark.requirement("MON-10")
async def test_a_refused_call_does_not_forget_an_earlier_coupon(shop: Shop) -> None:
    """Who holds a coupon and cannot pay for another item of the same call holds it still: a further call draws no second code."""
    holder, *others = await add_members(shop, 6)
    coupon = await shop.create_reward(
        UniqueCouponConfiguration(await shop.create_pool("FIRST", "SECOND"))
    )
    dear = await mug(shop, payment_configs=costing(shop, 5))
    free = await mug(shop)
    till = Till(shop)
    first = await till.issue("first", holder, item(coupon))
    answers = await till.at_once(
        *((f"other {member}", member, item(free)) for member in others[:2]),
        ("poor", holder, item(coupon), item(dear)),
        *((f"more {member}", member, item(free)) for member in others),
    )
    assert outcomes_of(answers) == {"ALL": 7, "InsufficientBalance": 1}
    again = await till.issue("again", holder, item(coupon))
    assert codes_of(again) == [StatusCode.ALREADY_ISSUED]
    assert again.items[0].grant == first.items[0].grant
    assert await find_broken(shop.database) == {}


async def change(shop: Shop, reward: Reward, **fields: Any) -> None:
    command = UpdateReward(str(new_id()), reward.id, RewardFields(**fields))
    await update_reward(shop.database, shop.caller, command)


@pytest.mark.requirement("MON-7")
async def test_a_change_of_a_reward_is_seen_at_once(shop: Shop) -> None:
    """Nothing that the process remembers of a reward outlives a change: not its status, its price, nor what it gives."""
    members = await add_members(shop, 6)
    await give_all(shop, members, 100)
    reward = await mug(shop, payment_configs=costing(shop, 5))
    till = Till(shop)

    async def buy(turn: str) -> list[Any]:
        return await till.at_once(
            *((f"{turn} {member}", member, item(reward)) for member in members)
        )

    assert outcomes_of(await buy("first")) == {"ALL": 6}
    await change(shop, reward, payment_configs=costing(shop, 8))
    assert outcomes_of(await buy("dearer")) == {"ALL": 6}
    assert [await balance(shop, member) for member in members] == [87] * 6
    double = ProductConfiguration(await shop.create_product(100), 2)
    await change(shop, reward, config=double)
    answers = await buy("double")
    assert {answer.items[0].grant.benefits[0]["quantity"] for answer in answers} == {2}
    await change(shop, reward, status=RewardStatus.INACTIVE)
    answers = await buy("never")
    assert outcomes_of(answers) == {"NONE": 6}
    assert {code for answer in answers for code in codes_of(answer)} == {StatusCode.REWARD_INACTIVE}
    await change(shop, reward, status=RewardStatus.ACTIVE)
    assert outcomes_of(await buy("again")) == {"ALL": 6}


@pytest.mark.requirement("CAP-15", "CAP-16")
async def test_stages_and_undeclared_tills_go_with_groups(shop: Shop) -> None:
    """Each grant begins at the first stage by its own operation; where tills are declared, calls without a code are refused."""
    members = await add_members(shop, 8)
    reward = await mug(shop)
    await declare_stages(shop, "BOOKED", "SENT")
    till = Till(shop)
    answers = await asyncio.gather(
        *(
            till.issue(f"k{number}", member, item(reward), till=f"Till {number}")
            for number, member in enumerate(members)
        ),
        return_exceptions=True,
    )
    assert outcomes_of(answers) == {"ALL": 8}
    rows = await shop.database.fetch(
        """SELECT stage, fulfillment_steps.operation_id = grants.operation_id AS is_own FROM fulfillment_steps
        JOIN grants ON grants.tenant_id = fulfillment_steps.tenant_id AND grants.id = grant_id"""
    )
    assert [tuple(row) for row in rows] == [("BOOKED", True)] * 8
    await declare_till(shop, "Till 1")
    refused = await till.at_once(*((f"r{number}", members[0], item(reward)) for number in range(4)))
    assert outcomes_of(refused) == {"InvalidInput": 4}


def test_what_locks_more_than_keys_and_balances_stays_alone() -> None:
    wanted = IssueItem(new_id(), "rew_1")
    plain = IssueCommand("key", named(new_id()), [wanted])
    paid = replace(wanted, payment=PaymentChoice(cash_reference="receipt"))
    valued = replace(wanted, payment=PaymentChoice(redemption_value=Decimal(2)))
    assert may_share(plain)
    assert may_share(replace(plain, till="Till 1"))
    assert may_share(replace(plain, items=[valued]))
    assert not may_share(replace(plain, is_dry_run=True))
    assert not may_share(replace(plain, till="Till 1", validation_code="1234"))
    assert not may_share(replace(plain, group=GroupReference(external_id="family")))
    assert not may_share(replace(plain, items=[wanted, paid]))
