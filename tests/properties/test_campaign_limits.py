"""Limits, tiers and budgets against a model that knows nothing of rows and locks: it keeps every reward it gave in a list."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.campaigns.model import CalendarUnit, Campaign, Limit, LimitScope
from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Database
from tests.campaigns import budget_of, codes, create, fund, record, tier
from tests.catalog import open_shop
from tests.use_cases import add_members, balance, find_broken, points_of

pytestmark = pytest.mark.requirement("MON-12")

ZONE = "Europe/Oslo"
BUDGET = 40

LIMITS = st.builds(
    lambda scope, maximum, window: Limit(scope, maximum, **window),
    st.sampled_from(LimitScope),
    st.integers(1, 3),
    st.one_of(
        st.just({}),
        st.sampled_from(CalendarUnit).map(lambda unit: {"calendar": unit}),
        st.sampled_from([3_600, 86_400, 3 * 86_400]).map(
            lambda length: {"rolling_seconds": length}
        ),
    ),
)
# Who, how many hours ago, and a score.
EVENTS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 24 * 14), st.integers(0, 3)), max_size=25
)


@dataclass
class Model:
    """What a campaign of two tiers gives: the first for a score of 2, the second for any above 0."""

    campaign_limits: list[Limit]
    tier_limits: list[Limit]
    budget: int = BUDGET
    given: list[tuple[int | None, int, datetime]] = field(default_factory=list)

    def record(self, member: int, at: datetime, score: int) -> list[str]:
        is_limited = not self._allows(None, self.campaign_limits, member, at)
        found = []
        for index, (needed, limits, price) in enumerate([(2, self.tier_limits, 7), (1, [], 3)]):
            if is_limited:
                found.append("LIMIT_REACHED" if score >= 1 else "CONDITION_NOT_MET")
            elif score < needed:
                found.append("CONDITION_NOT_MET")
            elif not self._allows(index, limits, member, at):
                found.append("LIMIT_REACHED")
            elif self.budget < price:
                found.append("BUDGET_EXHAUSTED")
            else:
                self.budget -= price
                found.append("GRANTED")
        for index, code in enumerate(found):
            if code == "GRANTED":
                self.given.append((index, member, at))
        if "GRANTED" in found:
            self.given.append((None, member, at))
        return found

    def _allows(
        self, tier_index: int | None, limits: list[Limit], member: int, at: datetime
    ) -> bool:
        return all(self._left(tier_index, limit, member, at) for limit in limits)

    def _left(self, tier_index: int | None, limit: Limit, member: int, at: datetime) -> bool:
        times = [
            when
            for owner, who, when in self.given
            if owner == tier_index and (limit.scope is LimitScope.TOTAL or who == member)
        ]
        if limit.rolling_seconds is not None:
            length = timedelta(seconds=limit.rolling_seconds)
            tried = [*times, at]
            # No window of this length may come to hold more than the maximum.
            return all(
                sum(start <= when < start + length for when in tried) <= limit.maximum
                for start in tried
                if start <= at < start + length
            )
        key = _calendar_key(limit, at)
        return sum(_calendar_key(limit, when) == key for when in times) < limit.maximum


def _calendar_key(limit: Limit, at: datetime) -> object:
    local = at.astimezone(ZoneInfo(ZONE))
    keys: dict[CalendarUnit | None, object] = {
        None: None,
        CalendarUnit.DAY: local.date(),
        CalendarUnit.WEEK: local.isocalendar()[:2],
        CalendarUnit.MONTH: (local.year, local.month),
    }
    return keys[limit.calendar]


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(LIMITS, max_size=2), st.lists(LIMITS, max_size=2), EVENTS)
async def test_campaign_gives_what_the_model_gives(
    database: Database,
    campaign_limits: list[Limit],
    tier_limits: list[Limit],
    events: list[tuple[int, int, int]],
) -> None:
    shop = await open_shop(database)
    members = await add_members(shop, 3)
    campaign = await _create(shop, campaign_limits, tier_limits)
    model = Model(campaign_limits, tier_limits)
    now = datetime.now(UTC)
    for member, hours, score in events:
        at = now - timedelta(hours=hours)
        outcome = await record(shop, members[member], payload={"score": score}, at=at)
        expected = model.record(member, at, score)
        found = [code.value for code in codes(outcome)]
        assert found == expected, (member, hours, score)
    assert await budget_of(shop, campaign) == model.budget
    total = sum([await balance(shop, member_id) for member_id in members])
    assert total == BUDGET - model.budget


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(LIMITS, min_size=1, max_size=3), EVENTS)
async def test_no_limit_is_exceeded_by_events_at_once(
    database: Database, limits: list[Limit], events: list[tuple[int, int, int]]
) -> None:
    """In whatever order they are processed, what was given could have been given one by one."""
    shop = await open_shop(database)
    members = await add_members(shop, 3)
    campaign = await _create(shop, limits, [])
    now = datetime.now(UTC)
    outcomes = await asyncio.gather(
        *(
            record(shop, members[member], payload={"score": 1}, at=now - timedelta(hours=hours))
            for member, hours, _ in events
        )
    )
    model = Model(limits, [], budget=10**6)
    rewarded = [
        (member, now - timedelta(hours=hours))
        for (member, hours, _), outcome in zip(events, outcomes, strict=True)
        if "GRANTED" in codes(outcome)
    ]
    for member, at in rewarded:
        assert model.record(member, at, 1)[1] == "GRANTED"
    assert await budget_of(shop, campaign) == BUDGET - 3 * len(rewarded)
    assert await find_broken(shop.database) == {}


async def _create(shop: Any, campaign_limits: list[Limit], tier_limits: list[Limit]) -> Campaign:
    seven: UUID = (await shop.create_reward(PointsDraft(Decimal(7)))).id
    three: UUID = (await shop.create_reward(PointsDraft(Decimal(3)))).id
    campaign = await create(
        shop,
        tier(seven, condition="payload.score >= 2", limits=tuple(tier_limits)),
        tier(three),
        condition="payload.score >= 1",
        limits=tuple(campaign_limits),
        time_zone=ZONE,
        budget_asset_id=points_of(shop),
    )
    await fund(shop, campaign, BUDGET)
    return campaign
