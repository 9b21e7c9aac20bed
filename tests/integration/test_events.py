"""An event is processed once, by every campaign that it concerns, and gives what conditions, limits and budgets allow."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from gateway.access import Scope
from gateway.campaigns.event import CheckKind
from gateway.campaigns.model import CalendarUnit, CampaignStatus, TierMode, Trigger
from gateway.errors import Forbidden, InvalidInput, NotFound
from gateway.grants.record import GrantSource
from gateway.ids import new_id
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.deleting import DeleteReward, delete_reward
from gateway.rewards.model import RewardStatus
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.verifying.verify import verify
from tests.campaigns import (
    EVENT,
    budget_of,
    codes,
    create,
    each,
    fund,
    record,
    tier,
    total,
)
from tests.catalog import Shop
from tests.use_cases import (
    add_member,
    add_members,
    balance,
    count,
    counting,
    fail_first_attempt,
    find_broken,
    grant,
    lose_first_commit_reply,
    manual,
    points_of,
    reverse,
    snapshot,
    without,
)

pytestmark = pytest.mark.requirement("MON-12")


async def test_event_gives_the_reward_and_names_the_campaign(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    campaign = await create(shop, tier(reward.id), condition="payload.amount >= 50")
    outcome = await record(shop, member_id, "e-1", {"amount": 50})
    (effect,) = outcome.campaigns[0].tiers[0].effects
    assert effect.grant is not None
    assert effect.grant.source is GrantSource.CAMPAIGN
    assert effect.grant.details["campaign_id"] == str(campaign.id)
    assert effect.grant.details["event_id"] == "e-1"
    assert await balance(shop, member_id) == 10
    assert codes(await record(shop, member_id, "e-2", {"amount": 49})) == ["CONDITION_NOT_MET"]
    assert codes(await record(shop, member_id, "e-3")) == ["CONDITION_FAILED"]
    assert (await record(shop, member_id, "e-4", event_type="other")).campaigns == []
    assert await balance(shop, member_id) == 10
    assert await verify(shop.database) == []


async def test_event_arriving_again_is_answered_and_not_processed(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    await create(shop, tier(reward.id))
    first = await record(shop, member_id, "e-1", {"amount": 5})
    before = await snapshot(shop.database)
    again = await record(shop, member_id, "e-1", {"amount": 5})
    assert again == replace(first, idempotent_replay=True)
    with pytest.raises(IdempotencyConflict) as caught:
        await record(shop, member_id, "e-1", {"amount": 6})
    assert caught.value.differing_fields == ("payload",)
    assert await snapshot(shop.database) == before


async def test_event_that_earned_nothing_earns_nothing_later(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    await record(shop, member_id, "e-1")
    await create(shop, tier(reward.id))
    assert (await record(shop, member_id, "e-1")).campaigns == []
    assert await balance(shop, member_id) == 0


async def test_one_event_arriving_often_at_once_is_processed_once(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    await create(shop, tier(reward.id), limits=(total(100),))
    outcomes = await asyncio.gather(*(record(shop, member_id, "e-1") for _ in range(50)))
    assert sum(not outcome.idempotent_replay for outcome in outcomes) == 1
    grants = {o.campaigns[0].tiers[0].effects[0].grant.id for o in outcomes}  # type: ignore[union-attr]
    assert len(grants) == 1
    assert await balance(shop, member_id) == 10


@pytest.mark.parametrize("limit", [each(7), each(7, rolling_seconds=3_600), total(7)])
async def test_limit_is_exact_for_50_events_at_once(shop: Shop, limit: Any) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    await create(shop, tier(reward.id), limits=(limit,))
    outcomes = await asyncio.gather(*(record(shop, member_id) for _ in range(50)))
    found = [code for outcome in outcomes for code in codes(outcome)]
    assert (found.count("GRANTED"), found.count("LIMIT_REACHED")) == (7, 43)  # type: ignore[arg-type]
    assert await balance(shop, member_id) == 70
    assert await find_broken(shop.database) == {}


async def test_limits_of_overlapping_campaigns_never_deadlock(shop: Shop) -> None:
    reward, members = await shop.create_reward(), await add_members(shop, 5)
    for _ in range(4):
        await create(shop, tier(reward.id), limits=(each(6), total(20, rolling_seconds=60)))
    outcomes = await asyncio.gather(*(record(shop, members[number % 5]) for number in range(50)))
    found = [code for outcome in outcomes for code in codes(outcome)]
    assert found.count("GRANTED") == 80  # type: ignore[arg-type]
    assert sum([await balance(shop, member_id) for member_id in members]) == 800


async def test_budget_is_spent_exactly_and_never_below_zero(shop: Shop) -> None:
    reward = await shop.create_reward(PointsDraft(Decimal(7)))
    members = await add_members(shop, 10)
    campaign = await create(shop, tier(reward.id), budget_asset_id=points_of(shop))
    await fund(shop, campaign, 100)
    outcomes = await asyncio.gather(*(record(shop, members[n % 10]) for n in range(50)))
    found = [code for outcome in outcomes for code in codes(outcome)]
    assert (found.count("GRANTED"), found.count("BUDGET_EXHAUSTED")) == (14, 36)  # type: ignore[arg-type]
    assert await budget_of(shop, campaign) == 2
    assert sum([await balance(shop, member_id) for member_id in members]) == 98
    assert await verify(shop.database) == []


async def test_budget_counts_only_its_own_asset(shop: Shop) -> None:
    member_id, product_id = await add_member(shop), await shop.create_product(5)
    points = await shop.create_reward()
    mug = await shop.create_reward(ProductConfiguration(product_id))
    await create(shop, tier(points.id, mug.id), budget_asset_id=points_of(shop))
    assert codes(await record(shop, member_id)) == ["BUDGET_EXHAUSTED", "GRANTED"]


async def test_reversed_grant_goes_back_to_the_budget(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    campaign = await create(shop, tier(reward.id), budget_asset_id=points_of(shop))
    await fund(shop, campaign, 10)
    (effect,) = (await record(shop, member_id)).campaigns[0].tiers[0].effects
    assert effect.grant is not None
    await reverse(shop, "r-1", effect.grant.id)
    assert await budget_of(shop, campaign) == 10
    assert await balance(shop, member_id) == 0
    assert await verify(shop.database) == []


async def test_limit_is_used_only_by_what_was_given(shop: Shop) -> None:
    member_id = await add_member(shop)
    product_id = await shop.create_product(0)
    mug = await shop.create_reward(ProductConfiguration(product_id))
    await create(shop, tier(mug.id), limits=(each(1),))
    assert codes(await record(shop, member_id)) == ["OUT_OF_STOCK"]
    assert codes(await record(shop, member_id)) == ["OUT_OF_STOCK"]
    (row,) = await shop.database.fetch("SELECT used FROM campaign_counters")
    assert row["used"] == 0


async def test_all_matching_tiers_give_theirs(shop: Shop) -> None:
    bronze, silver, gold = [await shop.create_reward() for _ in range(3)]
    member_id = await add_member(shop)
    tiers = (
        tier(bronze.id, condition="payload.score >= 10"),
        tier(silver.id, condition="payload.score >= 20"),
        tier(gold.id, condition="payload.score >= 30"),
    )
    await create(shop, *tiers)
    outcome = await record(shop, member_id, payload={"score": 25})
    assert codes(outcome) == ["GRANTED", "GRANTED", "CONDITION_NOT_MET"]


async def test_first_matching_tier_alone_gives_its_rewards(shop: Shop) -> None:
    first, second, third = [await shop.create_reward() for _ in range(3)]
    member_id = await add_member(shop)
    tiers = (
        tier(first.id, condition="payload.nothing"),
        tier(second.id, condition="payload.score >= 20", limits=(each(1),)),
        tier(third.id),
    )
    await create(shop, *tiers, tier_mode=TierMode.FIRST_MATCHING)
    chosen = await record(shop, member_id, payload={"score": 20})
    assert codes(chosen) == ["CONDITION_FAILED", "GRANTED", "TIER_NOT_CHOSEN"]
    # The tier that matches decides, even if its limit refuses it.
    limited = await record(shop, member_id, payload={"score": 20})
    assert codes(limited) == ["CONDITION_FAILED", "LIMIT_REACHED", "TIER_NOT_CHOSEN"]
    low = await record(shop, member_id, payload={"score": 1})
    assert codes(low) == ["CONDITION_FAILED", "CONDITION_NOT_MET", "GRANTED"]


async def test_any_trigger_is_enough(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    triggers = (Trigger(EVENT, "payload.a == 1"), Trigger(EVENT, "payload.b == 1"), Trigger("c"))
    await create(shop, tier(reward.id), triggers=triggers)
    assert codes(await record(shop, member_id, payload={"a": 0, "b": 1})) == ["GRANTED"]
    assert codes(await record(shop, member_id, payload={"a": 0, "b": 0})) == ["CONDITION_NOT_MET"]
    assert codes(await record(shop, member_id, event_type="c")) == ["GRANTED"]


async def test_period_goes_by_when_the_event_occurred(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    now = datetime.now(UTC)
    start, end = now - timedelta(days=2), now - timedelta(days=1)
    await create(shop, tier(reward.id), starts_at=start, ends_at=end)
    moment = timedelta(microseconds=1)
    for at, code in [
        (start - moment, "OUTSIDE_PERIOD"),
        (start, "GRANTED"),
        (end - moment, "GRANTED"),
        (end, "OUTSIDE_PERIOD"),
        (None, "OUTSIDE_PERIOD"),
    ]:
        assert codes(await record(shop, member_id, at=at)) == [code]


async def test_time_of_an_event_is_bounded(shop: Shop) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    for at in (datetime.now(UTC) + timedelta(minutes=6), datetime(1, 1, 1, tzinfo=UTC)):
        with pytest.raises(InvalidInput) as caught:
            await record(shop, member_id, at=at)
        assert caught.value.errors[0].path == ("input", "occurredAt")
    assert await snapshot(shop.database) == before


async def test_calendar_limit_follows_the_time_zone_through_daylight_saving(shop: Shop) -> None:
    """Each day of Oslo gives once, the one of 25 hours too."""
    reward, member_id = await shop.create_reward(), await add_member(shop)
    limits = (each(1, calendar=CalendarUnit.DAY),)
    await create(shop, tier(reward.id), limits=limits, time_zone="Europe/Oslo")
    autumn = _last_sunday_of_october()
    found = [
        codes(await record(shop, member_id, at=autumn + timedelta(hours=hours)))[0]
        # Midnight in Oslo is two hours before this; the day has 25 hours.
        for hours in (-2, 0, 22.99, 23, 46.99, 47)
    ]
    assert found == [
        "GRANTED",
        "LIMIT_REACHED",
        "LIMIT_REACHED",
        "GRANTED",
        "LIMIT_REACHED",
        "GRANTED",
    ]


def _last_sunday_of_october() -> datetime:
    now = datetime.now(UTC)
    for year in (now.year, now.year - 1):
        day = datetime(year, 10, 31, tzinfo=UTC)
        day -= timedelta(days=(day.weekday() + 1) % 7)
        if day + timedelta(days=3) < now:
            return day
    raise AssertionError


async def test_late_event_cannot_overfill_a_rolling_window(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    await create(shop, tier(reward.id), limits=(each(2, rolling_seconds=60),))
    start = datetime.now(UTC) - timedelta(days=1)

    async def at(seconds: float) -> str:
        moment = start + timedelta(seconds=seconds)
        return codes(await record(shop, member_id, at=moment))[0].value

    assert [await at(0), await at(50), await at(59.99), await at(60)] == [
        "GRANTED",
        "GRANTED",
        "LIMIT_REACHED",
        "GRANTED",
    ]
    # 50 and 60 lie within a minute of it, but 0 and 50 do too: either window would have three.
    assert await at(10) == "LIMIT_REACHED"
    assert await at(-10) == "GRANTED"
    assert await at(-15) == "LIMIT_REACHED"


async def test_rewards_that_cannot_be_given_are_named(shop: Shop) -> None:
    deleted, inactive, good = [await shop.create_reward() for _ in range(3)]
    member_id, pool_id = await add_member(shop), await shop.create_pool("only")
    coupon = await shop.create_reward(UniqueCouponConfiguration(pool_id))
    await create(shop, tier(deleted.id, inactive.id, coupon.id, good.id))
    await delete_reward(shop.database, shop.caller, DeleteReward("d-1", deleted.id))
    await shop.database.fetch(
        "UPDATE rewards SET status = $3 WHERE tenant_id = $1 AND id = $2",
        shop.caller.tenant_id,
        inactive.id,
        RewardStatus.INACTIVE,
    )
    outcome = await record(shop, member_id)
    assert codes(outcome) == ["REWARD_NOT_FOUND", "REWARD_INACTIVE", "GRANTED", "GRANTED"]
    again = await record(shop, member_id)
    assert codes(again)[2] == "ALREADY_ISSUED"
    held, first = again.campaigns[0].tiers[0].effects[2], outcome.campaigns[0].tiers[0].effects[2]
    assert held.grant == first.grant
    other = await add_member(shop)
    assert codes(await record(shop, other))[2] == "POOL_EXHAUSTED"
    assert await verify(shop.database) == []


@pytest.mark.requirement("MON-8")
async def test_manual_grants_pass_by_campaigns(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    campaign = await create(
        shop, tier(reward.id), limits=(each(1),), budget_asset_id=points_of(shop)
    )
    await fund(shop, campaign, 10)
    for number in range(3):
        made = await grant(shop, manual(f"m-{number}", member_id, reward.id))
        assert "campaign_id" not in made.grant.details
    assert await budget_of(shop, campaign) == 10
    assert codes(await record(shop, member_id)) == ["GRANTED"]


async def test_unknown_member_leaves_the_event_free(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    await create(shop, tier(reward.id))
    before = await snapshot(shop.database)
    with pytest.raises(NotFound):
        await record(shop, new_id(), "e-1")
    assert await snapshot(shop.database) == before
    assert codes(await record(shop, member_id, "e-1")) == ["GRANTED"]


async def test_events_need_the_grant_scope(shop: Shop) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    with pytest.raises(Forbidden):
        await record(shop, member_id, caller=without(shop.caller, Scope.GRANT))
    assert await snapshot(shop.database) == before


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"event_id": " "}, "eventId"),
        ({"event_id": "x" * 129}, "eventId"),
        ({"event_type": "a b"}, "eventType"),
        ({"event_type": "a\x00"}, "eventType"),
        ({"payload": {"a": "\ud800"}}, "payload"),
        ({"payload": {"a": "x" * 17_000}}, "payload"),
        ({"payload": {"a": 2**70}}, "payload"),
    ],
)
async def test_broken_event_is_refused(shop: Shop, fields: dict[str, Any], path: str) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as caught:
        await record(shop, member_id, **fields)
    assert [error.path for error in caught.value.errors] == [("input", path)]
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ALL-4")
async def test_dry_run_explains_and_leaves_nothing(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    campaign = await create(
        shop,
        tier(reward.id, condition="payload.amount > 10"),
        limits=(each(2, calendar=CalendarUnit.DAY), total(5)),
        budget_asset_id=points_of(shop),
        time_zone="Europe/Oslo",
    )
    await fund(shop, campaign, 15)
    await record(shop, member_id, payload={"amount": 20})
    before = await snapshot(shop.database)
    outcome = await record(shop, member_id, "e-2", {"amount": 20}, is_dry_run=True)
    assert await snapshot(shop.database) == before
    assert codes(outcome) == ["BUDGET_EXHAUSTED"]
    (judged,) = outcome.campaigns
    assert [(check.kind, check.is_passed, check.left) for check in judged.checks] == [
        (CheckKind.STATUS, True, None),
        (CheckKind.PERIOD, True, None),
        (CheckKind.TRIGGER, True, None),
        (CheckKind.LIMIT, True, 1),
        (CheckKind.LIMIT, True, 4),
        (CheckKind.BUDGET, True, 5),
    ]
    assert judged.checks[3].resets_at is not None
    assert judged.tiers[0].checks[0].message == "The condition holds."
    await fund(shop, campaign, 5)
    earned = await record(shop, member_id, "e-2", {"amount": 20}, is_dry_run=True)
    assert codes(earned) == ["GRANTED"]
    # The key was not used up.
    assert codes(await record(shop, member_id, "e-2", {"amount": 20})) == ["GRANTED"]


@pytest.mark.requirement("ALL-4")
async def test_dry_run_says_why_other_campaigns_give_nothing(shop: Shop) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    await create(shop, tier(reward.id), status=CampaignStatus.INACTIVE, name="off")
    await create(shop, tier(reward.id), triggers=(Trigger("other"),), name="deaf")
    await create(shop, tier(reward.id), ends_at=datetime.now(UTC), name="over")
    await create(shop, tier(reward.id, condition="payload.x == 1"), limits=(each(1),), name="none")
    outcome = await record(shop, member_id, payload={"x": 2}, is_dry_run=True)
    assert {judged.campaign.name: judged.status.code.value for judged in outcome.campaigns} == {
        "off": "CAMPAIGN_INACTIVE",
        "deaf": "NOT_TRIGGERED",
        "over": "OUTSIDE_PERIOD",
        "none": "CONDITION_NOT_MET",
    }
    # Limits and rewards are told even where a condition decides.
    last = outcome.campaigns[-1]
    assert [check.left for check in last.checks if check.kind is CheckKind.LIMIT] == [1]
    assert [check.is_passed for check in last.tiers[0].checks] == [False, True]


async def test_round_trips_do_not_grow_with_campaigns(shop: Shop, database_url: str) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    limits = (each(100, rolling_seconds=60), total(100), each(50, calendar=CalendarUnit.DAY))
    async with counting(database_url) as (counted, statements):
        counted_shop = replace(shop, database=counted)

        async def measure() -> int:
            await record(counted_shop, member_id)
            # The driver tells of a statement one turn of the loop later.
            await asyncio.sleep(0)
            statements.clear()
            await record(counted_shop, member_id)
            await asyncio.sleep(0)
            return len(statements)

        await create(shop, tier(reward.id), limits=limits)
        few = await measure()
        for _ in range(12):
            await create(shop, tier(reward.id), tier(reward.id), limits=limits)
        assert await measure() == few == 11


async def test_event_is_processed_once_when_an_attempt_is_undone(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    await create(shop, tier(reward.id), limits=(each(1), each(1, rolling_seconds=60)))
    fail_first_attempt(monkeypatch)
    outcome = await record(shop, member_id)
    assert codes(outcome) == ["GRANTED"]
    assert await balance(shop, member_id) == 10
    assert await count(shop, "grants") == await count(shop, "campaign_uses") == 1


async def test_event_is_processed_once_when_the_reply_of_its_commit_is_lost(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    reward, member_id = await shop.create_reward(), await add_member(shop)
    await create(shop, tier(reward.id))
    lose_first_commit_reply(monkeypatch)
    outcome = await record(shop, member_id)
    assert outcome.idempotent_replay is False
    assert codes(outcome) == ["GRANTED"]
    assert await balance(shop, member_id) == 10
