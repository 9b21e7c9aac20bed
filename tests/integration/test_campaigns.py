"""Campaigns are made, changed and funded by their own organization, and nothing is written where a rule is broken."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from gateway.access import Scope
from gateway.campaigns import creating
from gateway.campaigns.counter_store import Use, fetch_used
from gateway.campaigns.creating import CreateCampaign, create_campaign
from gateway.campaigns.funding import FundCampaign, fund_campaign
from gateway.campaigns.model import CalendarUnit, Campaign, CampaignStatus, TierMode, Trigger
from gateway.campaigns.updating import UpdateCampaign, update_campaign
from gateway.errors import Forbidden, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Connection
from tests.campaigns import (
    budget_of,
    campaign_fields,
    codes,
    create,
    each,
    fund,
    record,
    tier,
    total,
)
from tests.catalog import Shop
from tests.use_cases import add_member, cash_of, find_broken, points_of, snapshot, without
from tests.waiting import wait_until_backends_wait

pytestmark = pytest.mark.requirement("MON-12")

EARLY, LATE = datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)


async def test_campaign_is_kept_as_it_was_made(shop: Shop) -> None:
    first, second = await shop.create_reward(), await shop.create_reward()
    fields = campaign_fields(
        tier(
            first.id, condition="payload.amount > 10", limits=(each(1, calendar=CalendarUnit.DAY),)
        ),
        tier(second.id, first.id, name="Gold"),
        tier_mode=TierMode.FIRST_MATCHING,
        limits=(total(1_000), each(3, rolling_seconds=3_600)),
        time_zone="Europe/Oslo",
        starts_at=EARLY,
        ends_at=LATE,
        budget_asset_id=points_of(shop),
    )
    command = CreateCampaign("c-1", fields)
    outcome = await create_campaign(shop.database, shop.caller, command)
    again = await create_campaign(shop.database, shop.caller, command)
    assert again.campaign == outcome.campaign
    assert (outcome.idempotent_replay, again.idempotent_replay) == (False, True)
    made = outcome.campaign
    assert made.organization_id == shop.caller.organization_id
    assert made.tiers[1].reward_ids == (second.id, first.id)
    assert made.limits == fields.limits
    assert made.tiers[0].limits == fields.tiers[0].limits
    assert [slot.tier_index for slot in made.slots] == [None, None, 0]
    changed = CreateCampaign("c-1", replace(fields, name="Autumn"))
    with pytest.raises(IdempotencyConflict):
        await create_campaign(shop.database, shop.caller, changed)


BROKEN: list[tuple[dict[str, Any], tuple[str, ...], str]] = [
    ({"name": ""}, ("input", "name"), "required"),
    ({"name": "a\x00"}, ("input", "name"), "characters"),
    ({"name": "x" * 201}, ("input", "name"), "length"),
    ({"time_zone": "Mars/Base"}, ("input", "timeZone"), "time zone"),
    ({"time_zone": "../../etc/passwd"}, ("input", "timeZone"), "time zone"),
    ({"starts_at": LATE, "ends_at": EARLY}, ("input", "endsAt"), "range"),
    ({"triggers": ()}, ("input", "triggers"), "length"),
    ({"triggers": (Trigger("a b"),)}, ("input", "triggers", "0", "eventType"), "pattern"),
    ({"triggers": (Trigger("a", "x >"),)}, ("input", "triggers", "0", "condition"), "syntax"),
    ({"triggers": (Trigger("a"),) * 11}, ("input", "triggers"), "length"),
    ({"tiers": ()}, ("input", "tiers"), "length"),
    ({"tiers": (tier(),)}, ("input", "tiers", "0", "rewardIds"), "length"),
    ({"tiers": (tier(None),)}, ("input", "tiers", "0", "rewardIds", "0"), "exists"),
    ({"tiers": (tier(new_id()),)}, ("input", "tiers", "0", "rewardIds", "0"), "exists"),
    (
        {"tiers": (tier(new_id(), condition="payload.a ="),)},
        ("input", "tiers", "0", "condition"),
        "syntax",
    ),
    ({"limits": (each(0),)}, ("input", "limits", "0", "maximum"), "range"),
    ({"limits": (each(10**9 + 1),)}, ("input", "limits", "0", "maximum"), "range"),
    ({"limits": (each(1_001, rolling_seconds=1),)}, ("input", "limits", "0", "maximum"), "range"),
    (
        {"limits": (each(1), each(1, rolling_seconds=0))},
        ("input", "limits", "1", "window", "rollingSeconds"),
        "range",
    ),
    ({"limits": (each(1),) * 6}, ("input", "limits"), "length"),
    ({"budget_asset_id": new_id()}, ("input", "budgetAssetId"), "exists"),
]


@pytest.mark.parametrize(("change", "path", "rule"), BROKEN)
async def test_broken_rule_is_named_and_nothing_written(
    shop: Shop, change: dict[str, Any], path: tuple[str, ...], rule: str
) -> None:
    reward = await shop.create_reward()
    fields = replace(campaign_fields(tier(reward.id)), **change)
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as caught:
        await create_campaign(shop.database, shop.caller, CreateCampaign("c-1", fields))
    assert [(error.path, error.rule) for error in caught.value.errors] == [(path, rule)]
    assert await snapshot(shop.database) == before


async def test_budget_must_be_of_something_that_rewards_give(shop: Shop) -> None:
    reward = await shop.create_reward()
    with pytest.raises(InvalidInput, match="points") as caught:
        await create(shop, tier(reward.id), budget_asset_id=cash_of(shop))
    assert caught.value.errors[0].path == ("input", "budgetAssetId")


async def test_reward_is_named_once_in_a_tier(shop: Shop) -> None:
    reward = await shop.create_reward()
    with pytest.raises(InvalidInput, match="twice"):
        await create(shop, tier(reward.id, reward.id))


@pytest.mark.requirement("MON-13")
async def test_rewards_of_another_organization_are_refused(shop: Shop) -> None:
    reward = await shop.create_reward()
    with pytest.raises(InvalidInput, match="existing rewards"):
        await create(shop, tier(reward.id), caller=shop.neighbor)


@pytest.mark.requirement("MON-13")
async def test_campaign_of_another_organization_is_not_there(shop: Shop) -> None:
    reward = await shop.create_reward()
    campaign = await create(shop, tier(reward.id), budget_asset_id=points_of(shop))
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    with pytest.raises(NotFound):
        await update(shop, campaign, caller=shop.neighbor, name="Mine")
    command = FundCampaign("f-1", campaign.id, Decimal(5))
    with pytest.raises(NotFound):
        await fund_campaign(shop.database, shop.neighbor, command)
    assert await snapshot(shop.database) == before
    outcome = await record(shop, member_id, caller=shop.neighbor)
    assert outcome.campaigns == []


async def test_campaigns_need_the_catalog_scope(shop: Shop) -> None:
    reward = await shop.create_reward()
    campaign = await create(shop, tier(reward.id))
    caller = without(shop.caller, Scope.CATALOG)
    with pytest.raises(Forbidden):
        await create(shop, tier(reward.id), caller=caller)
    with pytest.raises(Forbidden):
        await update(shop, campaign, caller=caller, name="Mine")
    with pytest.raises(Forbidden):
        await fund_campaign(shop.database, caller, FundCampaign("f", campaign.id, Decimal(1)))


async def update(shop: Shop, campaign: Campaign, caller: Any = None, **fields: Any) -> Campaign:
    command = UpdateCampaign(str(new_id()), campaign.id, **fields)
    return (await update_campaign(shop.database, caller or shop.caller, command)).campaign


async def test_update_changes_what_it_names(shop: Shop) -> None:
    reward = await shop.create_reward()
    campaign = await create(shop, tier(reward.id), starts_at=EARLY)
    after = await update(shop, campaign, name="Autumn", ends_at=LATE)
    assert after == replace(campaign, name="Autumn", ends_at=LATE, updated_at=after.updated_at)
    cleared = await update(shop, campaign, starts_at=None, status=CampaignStatus.INACTIVE)
    assert (cleared.starts_at, cleared.ends_at) == (None, LATE)
    assert cleared.status is CampaignStatus.INACTIVE
    with pytest.raises(InvalidInput, match="later than"):
        await update(shop, campaign, starts_at=LATE)
    with pytest.raises(InvalidInput, match="required"):
        await update(shop, campaign, name=None)


async def test_inactive_campaign_gives_nothing_until_it_is_active(shop: Shop) -> None:
    reward = await shop.create_reward()
    campaign = await create(shop, tier(reward.id), status=CampaignStatus.INACTIVE)
    member_id = await add_member(shop)
    assert (await record(shop, member_id)).campaigns == []
    await update(shop, campaign, status=CampaignStatus.ACTIVE)
    assert codes(await record(shop, member_id)) == ["GRANTED"]


async def test_active_campaigns_are_bounded_however_they_become_so(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(creating, "ACTIVE_CAMPAIGNS_MAX", 3)
    reward = await shop.create_reward()
    waiting = [
        await create(shop, tier(reward.id), status=CampaignStatus.INACTIVE) for _ in range(3)
    ]
    outcomes = await asyncio.gather(
        *(create(shop, tier(reward.id)) for _ in range(4)),
        *(update(shop, campaign, status=CampaignStatus.ACTIVE) for campaign in waiting),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, InvalidInput)]
    assert len(outcomes) - len(refused) == 3
    assert {error.errors[0].rule for error in refused} == {"count"}


async def test_limit_of_the_whole_campaign_is_locked_last(
    shop: Shop, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    """Whoever waits for what a member has used keeps nobody else from the campaign, though its limit was named first."""
    campaign = await create(shop, tier((await shop.create_reward()).id))
    everybody, own = (
        Use(campaign.id, place, subject_id, date(2026, 12, 1), None)
        for place, subject_id in enumerate((campaign.id, new_id()))
    )

    async def lock(connection: Connection, *uses: Use) -> None:
        await fetch_used(connection, shop.caller.tenant_id, uses, EARLY, is_locking=True)

    async def lock_both() -> None:
        async with shop.database.transaction() as connection:
            await lock(connection, everybody, own)

    async with shop.database.transaction() as connection:
        await lock(connection, own)
        waiting = asyncio.create_task(lock_both())
        await wait_until_backends_wait(owner)
        async with shop.database.transaction(lock_timeout_seconds=0.1) as other:
            await lock(other, everybody)
    await waiting


async def test_funding_fills_the_budget_from_issuance(shop: Shop) -> None:
    reward = await shop.create_reward()
    campaign = await create(shop, tier(reward.id), budget_asset_id=points_of(shop))
    command = FundCampaign("f-1", campaign.id, Decimal(50))
    first = await fund_campaign(shop.database, shop.caller, command)
    again = await fund_campaign(shop.database, shop.caller, command)
    assert (first.balance_minor, again.balance_minor) == (50, 50)
    assert again.transaction_id == first.transaction_id
    await fund(shop, campaign, 25)
    assert await budget_of(shop, campaign) == 75
    assert await find_broken(shop.database) == {}


@pytest.mark.parametrize(
    ("amount", "rule"),
    [("0", "positive"), ("-5", "positive"), ("0.5", "exact"), ("1" + "0" * 20, "exact")],
)
async def test_funding_is_exact_and_above_zero(shop: Shop, amount: str, rule: str) -> None:
    reward = await shop.create_reward()
    campaign = await create(shop, tier(reward.id), budget_asset_id=points_of(shop))
    command = FundCampaign("f-1", campaign.id, Decimal(amount))
    with pytest.raises(InvalidInput) as caught:
        await fund_campaign(shop.database, shop.caller, command)
    assert [(error.path, error.rule) for error in caught.value.errors] == [
        (("input", "amount"), rule)
    ]
    assert await budget_of(shop, campaign) == 0


async def test_campaign_without_a_budget_cannot_be_funded(shop: Shop) -> None:
    reward = await shop.create_reward(PointsDraft(Decimal(3)))
    campaign = await create(shop, tier(reward.id))
    with pytest.raises(InvalidInput, match="no budget"):
        await fund(shop, campaign, 5)
