"""A credential issues no more of an asset in a day than its limit says, whichever operation it calls."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from gateway.access import PARTNER_SCOPES, Caller
from gateway.campaigns.funding import FundCampaign, fund_campaign
from gateway.errors import InvalidInput, NotFound
from gateway.granting.grant_reward import grant_reward
from gateway.granting.groups import GrantGroups
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.ledger.limits import LimitExceeded
from gateway.ledger.model import OwnerKind
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.tenants.credentials import authenticate, create_partner_token
from gateway.tenants.daily_limits import check_daily_limits, fetch_daily_limits, set_daily_limits
from tests.campaigns import codes, create, record, tier
from tests.catalog import Shop
from tests.use_cases import (
    add_member,
    balance,
    cash_of,
    codes_of,
    count,
    custom,
    distribute,
    find_broken,
    give_points,
    grant,
    issue,
    item,
    line,
    manual,
    points_of,
    reverse,
)


async def limited(shop: Shop, **maxima: str | None) -> Caller:
    """Return the holder of a new credential of the shop's organization, with these daily maxima by asset code."""
    caller = shop.caller
    created = await create_partner_token(
        shop.database, caller.tenant_id, caller.organization_id, "limited", PARTNER_SCOPES
    )
    await limit(shop, created.credential.id, **maxima)
    return await authenticate(shop.database, created.text)


async def limit(shop: Shop, credential_id: UUID, **maxima: str | None) -> None:
    wanted = {
        code: None if maximum is None else Decimal(maximum) for code, maximum in maxima.items()
    }
    limits = await check_daily_limits(shop.database, shop.caller.tenant_id, wanted)
    await set_daily_limits(shop.database, shop.caller.tenant_id, credential_id, limits)


async def used(shop: Shop, caller: Caller) -> dict[str, int]:
    limits = await fetch_daily_limits(shop.database, caller.tenant_id)
    assert caller.credential_id is not None
    return {one.asset_code: one.used_minor for one in limits[caller.credential_id]}


async def test_cash_ends_at_the_limit_and_the_answer_says_what_is_left(shop: Shop) -> None:
    member, caller = await add_member(shop), await limited(shop, USD="60.00")
    await grant(shop, custom("1", member), caller)
    await grant(shop, custom("2", member), caller)
    with pytest.raises(LimitExceeded) as refused:
        await grant(shop, custom("3", member), caller)
    assert refused.value.message == "This credential's daily limit of USD has 10.00 left."
    assert refused.value.left_minor == 1000
    today = datetime.now(UTC).date()
    assert refused.value.resets_at in {
        datetime.combine(today + timedelta(days=days), time(), UTC) for days in (0, 1)
    }
    assert await balance(shop, member, cash_of(shop), OwnerKind.CLAIMABLE) == 5000
    # The key is free again, and what fits is granted to the last cent.
    await grant(shop, custom("3", member, "10.00"), caller)
    assert await used(shop, caller) == {"USD": 6000}
    # Others are not limited.
    await grant(shop, custom("4", member))


async def test_replay_and_dry_run_use_up_nothing(shop: Shop) -> None:
    member, caller = await add_member(shop), await limited(shop, USD="25.00")
    await grant(shop, custom("dry", member, is_dry_run=True), caller)
    first = await grant(shop, custom("1", member), caller)
    again = await grant(shop, custom("1", member), caller)
    assert (again.grant.id, again.idempotent_replay) == (first.grant.id, True)
    with pytest.raises(LimitExceeded):
        await grant(shop, custom("dry", member, is_dry_run=True), caller)
    assert await used(shop, caller) == {"USD": 2500}


async def test_every_way_of_issuing_counts(shop: Shop) -> None:
    """Grants of the catalog, issuances, distributions, campaigns and their budgets share the limit of the asset."""
    member, caller = await add_member(shop), await limited(shop, PTS="35")
    reward = await shop.create_reward(PointsDraft(Decimal(10)))
    await create(shop, tier(reward.id))
    await grant(shop, manual("1", member, reward.id), caller)
    assert codes_of(await issue(shop, "2", member, item(reward), caller=caller)) == [
        StatusCode.GRANTED
    ]
    await distribute(shop, "3", line(shop, member, 9), caller=caller)
    assert await used(shop, caller) == {"PTS": 29}
    refused = StatusCode.LIMIT_EXCEEDED
    with pytest.raises(LimitExceeded):
        await grant(shop, manual("4", member, reward.id), caller)
    assert codes_of(await issue(shop, "5", member, item(reward), caller=caller)) == [refused]
    distributed = await distribute(
        shop, "6", line(shop, member, 7), line(shop, member, 2), caller=caller
    )
    assert [one.status.code for one in distributed.results] == [refused, StatusCode.GRANTED]
    event = await record(shop, member, caller=caller)
    assert codes(event) == [refused]
    budgeted = await create(shop, tier(reward.id), budget_asset_id=points_of(shop))
    with pytest.raises(LimitExceeded):
        await fund_campaign(shop.database, caller, FundCampaign("7", budgeted.id, Decimal(5)))
    await fund_campaign(shop.database, caller, FundCampaign("7", budgeted.id, Decimal(4)))
    assert await used(shop, caller) == {"PTS": 35}


async def test_what_others_have_put_into_a_budget_counts_when_it_is_paid_out(shop: Shop) -> None:
    member, caller = await add_member(shop), await limited(shop, PTS="15")
    reward = await shop.create_reward(PointsDraft(Decimal(10)))
    budgeted = await create(shop, tier(reward.id), budget_asset_id=points_of(shop))
    await fund_campaign(shop.database, shop.caller, FundCampaign("1", budgeted.id, Decimal(50)))
    assert codes(await record(shop, member, caller=caller)) == [StatusCode.GRANTED]
    assert codes(await record(shop, member, caller=caller)) == [StatusCode.LIMIT_EXCEEDED]
    assert await used(shop, caller) == {"PTS": 10}
    assert await balance(shop, member, points_of(shop)) == 10


async def test_products_from_stock_count(shop: Shop) -> None:
    product_id = await shop.create_product(stock=10)
    code = f"PRODUCT:{product_id}"
    member, caller = await add_member(shop), await limited(shop, **{code: "3"})
    reward = await shop.create_reward(ProductConfiguration(product_id, 2))
    assert codes_of(await issue(shop, "1", member, item(reward), item(reward), caller=caller)) == [
        StatusCode.GRANTED,
        StatusCode.LIMIT_EXCEEDED,
    ]
    assert await used(shop, caller) == {code: 2}


async def test_what_moves_value_that_is_there_already_counts_not(shop: Shop) -> None:
    """A deduction, an issuance that costs points, and a reversal issue nothing; nor does a reversal give anything back."""
    member, caller = await add_member(shop), await limited(shop, PTS="10", USD="0")
    await give_points(shop, member, 50)
    await distribute(shop, "1", line(shop, member, -20), caller=caller)
    granted = await distribute(shop, "2", line(shop, member, 10), caller=caller)
    await reverse(shop, "3", granted.results[0].grant_id)
    with pytest.raises(LimitExceeded):
        await grant(shop, custom("4", member, "1.00"), caller)
    assert await used(shop, caller) == {"PTS": 10, "USD": 0}


async def test_new_day_begins_with_the_whole_limit(
    shop: Shop, owner: asyncpg.Connection[asyncpg.Record]
) -> None:
    member, caller = await add_member(shop), await limited(shop, USD="25.00")
    await grant(shop, custom("1", member), caller)
    await owner.execute("UPDATE credential_limits SET day = day - 1")
    await grant(shop, custom("2", member), caller)
    assert await used(shop, caller) == {"USD": 2500}
    # A clock that is behind does not begin the day before again.
    await owner.execute("UPDATE credential_limits SET day = day + 1")
    with pytest.raises(LimitExceeded):
        await grant(shop, custom("3", member), caller)


@pytest.mark.parametrize("is_grouped", [False, True])
async def test_limit_holds_under_concurrent_grants(shop: Shop, is_grouped: bool) -> None:
    member, caller = await add_member(shop), await limited(shop, USD="250.00")
    groups = GrantGroups(shop.database) if is_grouped else None

    async def try_one(number: int) -> Any:
        try:
            return await grant_reward(shop.database, caller, custom(f"k{number}", member), groups)
        except LimitExceeded:
            return None

    outcomes = await asyncio.gather(*(try_one(number) for number in range(40)))
    assert sum(outcome is not None for outcome in outcomes) == 10
    assert await used(shop, caller) == {"USD": 25000}
    assert await count(shop, "grants") == 10
    assert await find_broken(shop.database) == {}


async def test_limits_change_and_end(shop: Shop) -> None:
    member, caller = await add_member(shop), await limited(shop, USD="25.00")
    assert caller.credential_id is not None
    await grant(shop, custom("1", member), caller)
    await limit(shop, caller.credential_id, USD="30.00")
    with pytest.raises(LimitExceeded):
        await grant(shop, custom("2", member), caller)
    await grant(shop, custom("2", member, "5.00"), caller)
    # Lowered below what is used, it has nothing left.
    await limit(shop, caller.credential_id, USD="1.00")
    with pytest.raises(LimitExceeded) as refused:
        await grant(shop, custom("3", member, "1.00"), caller)
    assert refused.value.left_minor == 0
    await limit(shop, caller.credential_id, USD=None)
    await grant(shop, custom("3", member), replace(caller, has_daily_limits=False))
    assert await fetch_daily_limits(shop.database, caller.tenant_id) == {}


async def test_broken_limits_are_refused(shop: Shop) -> None:
    tenant_id = shop.caller.tenant_id
    wrong = {"NOTHING": Decimal(1), "USD": Decimal("0.001"), "PTS": Decimal(-1)}
    with pytest.raises(InvalidInput) as refused:
        await check_daily_limits(shop.database, tenant_id, wrong)
    assert [error.rule for error in refused.value.errors] == ["asset", "exact", "range"]
    with pytest.raises(NotFound):
        await set_daily_limits(shop.database, tenant_id, new_id(), [(cash_of(shop), 1)])
    assert await count(shop, "credential_limits") == 0
