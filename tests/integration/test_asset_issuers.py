"""An asset's owner names who else may credit and deduct it, and takes that back again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from decimal import Decimal
from uuid import UUID

import pytest

from gateway.campaigns.creating import CreateCampaign, create_campaign
from gateway.errors import ErrorCode, InvalidInput, OutOfReach
from gateway.grants.errors import RewardUnavailable
from gateway.grants.status import StatusCode
from gateway.holding.ending import capture, release
from gateway.holding.model import CaptureCommand, HoldStatus, ReleaseCommand, ReserveCommand
from gateway.holding.reserve import reserve
from gateway.ids import new_id
from gateway.issuing.scope import DataScope
from gateway.ledger.assets import AssetKind
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.model import PaymentMode, Reward
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset
from gateway.tenants.issuer_store import fetch_issuers
from gateway.tenants.model import OrganizationReference
from gateway.tenants.setting_issuers import SetAssetIssuers, set_asset_issuers
from gateway.verifying.verify import verify
from tests.campaigns import campaign_fields, codes, record, tier
from tests.catalog import Shop, open_shop
from tests.issuing_cases import add_child, mug, organization, reaching
from tests.owned_things import ACTIONS, attempt, make_mine, make_things
from tests.use_cases import (
    add_member,
    codes_of,
    count,
    distribute,
    grant,
    issue,
    item,
    line,
    manual,
    named,
)

NOBODY = OrganizationReference(None, "org_nonsense")


@dataclass(frozen=True, slots=True)
class Gold:
    """An asset of the shop's organization, and the shop of another one of the tenant, beside it."""

    shop: Shop
    other: Shop
    asset_id: UUID

    async def name(self, *issuers: OrganizationReference, key: str | None = None) -> None:
        command = SetAssetIssuers(key or str(new_id()), self.asset_id, issuers)
        await set_asset_issuers(self.shop.database, self.shop.caller, command)

    async def issuers(self) -> list[UUID]:
        async with self.shop.database.connection() as connection:
            found = await fetch_issuers(connection, self.shop.caller.tenant_id, [self.asset_id])
        return found[self.asset_id]


def of(shop: Shop) -> OrganizationReference:
    return organization(shop.caller.organization_id)


@pytest.fixture
async def gold(database: Database) -> AsyncIterator[Gold]:
    shop = await open_shop(database)
    other = Shop(database, shop.neighbor, shop.caller)
    command = CreateAsset("star", "STAR", "Stars", AssetKind.CURRENCY, issuers=(of(other),))
    created = await create_asset(database, shop.caller, command)
    yield Gold(shop, other, created.asset.id)
    assert await verify(database) == []


@pytest.mark.requirement("MON-13")
async def test_issuer_does_with_the_asset_what_its_owner_does(gold: Gold) -> None:
    owned = replace(await make_things(gold.shop), asset_id=gold.asset_id)
    await distribute(
        gold.shop, "1", line(gold.shop, owned.member_id, 50, currency_id=gold.asset_id)
    )
    caller = gold.other.caller
    mine = await make_mine(gold.shop.database, caller, owned)
    for name, action in ACTIONS.items():
        if name.startswith("asset: ") and name != "asset: name issuers":
            answer = await attempt(gold.shop.database, caller, action, owned, mine)
            assert (name, answer) == (name, "done")
    answer = await attempt(gold.shop.database, caller, ACTIONS["asset: name issuers"], owned, mine)
    # An issuer sees the asset, and is no owner.
    assert answer == "OutOfReach assetId"


@pytest.mark.requirement("MON-13", "MON-8", "CAP-6", "MON-12")
async def test_who_is_not_named_any_more_gives_takes_and_funds_nothing_of_it(gold: Gold) -> None:
    other = gold.other
    price = PaymentConfigDraft(PaymentMode.POINTS, gold.asset_id, Decimal(3))
    given = await other.create_reward(PointsDraft(Decimal(2), gold.asset_id))
    sold = await mug(other, payment_configs=(price,))
    free = await other.create_reward()
    fields = campaign_fields(tier(given.id, free.id), budget_asset_id=gold.asset_id)
    created = await create_campaign(other.database, other.caller, CreateCampaign("c", fields))
    member_id = await add_member(gold.shop)
    await distribute(other, "1", line(other, member_id, 50, currency_id=gold.asset_id))
    owned = replace(await make_things(other), campaign_id=created.campaign.id, member_id=member_id)
    mine = await make_mine(other.database, other.caller, owned)
    hold_ids = [await _hold(gold, member_id), await _hold(gold, member_id)]

    await gold.name()
    with pytest.raises(RewardUnavailable) as refused:
        await grant(other, manual("given", member_id, given.id))
    assert refused.value.code is ErrorCode.FORBIDDEN
    assert refused.value.path == ("input", "reward", "rewardId")
    outcome = await issue(
        other, "issued", member_id, item(given), item(sold), item(free), skips_validation=True
    )
    forbidden, granted = StatusCode.ASSET_FORBIDDEN, StatusCode.GRANTED
    assert codes_of(outcome) == [forbidden, forbidden, granted]
    assert codes(await record(other, member_id))[:2] == [forbidden, granted]
    assert codes(await record(other, member_id, is_dry_run=True))[:2] == [forbidden, granted]
    answer = await attempt(other.database, other.caller, ACTIONS["campaign: fund"], owned, mine)
    assert answer == "OutOfReach campaignId"
    with pytest.raises(OutOfReach) as denied:
        await capture(other.database, other.caller, CaptureCommand("x", hold_ids[0]))
    assert denied.value.path == ("input", "holdId")
    # What it set aside for itself it can still let go.
    released = await release(other.database, other.caller, ReleaseCommand("x", hold_ids[0]))
    assert released.hold.status is HoldStatus.RELEASED

    await gold.name(of(other))
    captured = await capture(other.database, other.caller, CaptureCommand("y", hold_ids[1]))
    assert captured.hold.status is HoldStatus.CAPTURED
    await grant(other, manual("given", member_id, given.id))


@pytest.mark.requirement("CAP-13", "CAP-6")
async def test_what_counts_is_whether_the_rewards_organization_is_named(gold: Gold) -> None:
    """A credential that reaches another organization issues its rewards; that its own is an issuer is no help."""
    child = await add_child(gold.other)
    await gold.name(of(gold.other), of(child))
    given = await child.create_reward(PointsDraft(Decimal(2), gold.asset_id))
    member_id = await add_member(gold.shop)
    assert await _issue_through_parent(gold, child, member_id, given) is StatusCode.GRANTED
    await gold.name(of(gold.other))
    assert await _issue_through_parent(gold, child, member_id, given) is StatusCode.ASSET_FORBIDDEN
    await gold.name(of(child))
    assert await _issue_through_parent(gold, child, member_id, given) is StatusCode.GRANTED


async def test_issuers_are_replaced_as_a_whole_and_once(gold: Gold) -> None:
    child = await add_child(gold.shop)
    await gold.name(of(child), of(gold.shop), of(child), key="k")
    # The owner need not be named.
    assert await gold.issuers() == [child.caller.organization_id]
    await gold.name(of(gold.other))
    replay = SetAssetIssuers("k", gold.asset_id, [of(gold.shop), of(child)])
    outcome = await set_asset_issuers(gold.shop.database, gold.shop.caller, replay)
    assert outcome.idempotent_replay
    assert await gold.issuers() == [gold.other.caller.organization_id]
    with pytest.raises(IdempotencyConflict) as conflict:
        await gold.name(of(child), key="k")
    assert conflict.value.differing_fields == ("issuers",)


async def test_unknown_issuers_and_assets_without_any_are_named_by_path(gold: Gold) -> None:
    shop = gold.shop
    stranger = await open_shop(shop.database)
    before = await gold.issuers()
    for issuers, path in (
        ([of(gold.other), NOBODY], ("input", "issuers", "1")),
        ([of(stranger)], ("input", "issuers", "0")),
        ([of(gold.other)] * 101, ("input", "issuers")),
    ):
        with pytest.raises(InvalidInput) as refused:
            await gold.name(*issuers)
        assert refused.value.path == path
        command = CreateAsset(
            str(new_id()), "SILVER", "Silver", AssetKind.CURRENCY, issuers=issuers
        )
        with pytest.raises(InvalidInput) as refused:
            await create_asset(shop.database, shop.caller, command)
        assert refused.value.path == path
    for asset_id, error in (
        (shop.caller.standard_assets.points_id, OutOfReach),
        (await shop.create_product(), InvalidInput),
    ):
        with pytest.raises(error) as denied:
            await set_asset_issuers(
                shop.database, shop.caller, SetAssetIssuers(str(new_id()), asset_id, [])
            )
        assert denied.value.path == ("input", "assetId")
    assert await gold.issuers() == before
    assert await count(shop, "asset_issuers") == 1


async def test_partner_of_two_organizations_repeats_neither_ones_answers(gold: Gold) -> None:
    """The keys are the partner's, and an answer is its organization's."""
    await gold.name(key="k")
    both = replace(gold.other.caller, partner_id=gold.shop.caller.partner_id)
    with pytest.raises(IdempotencyConflict) as conflict:
        await set_asset_issuers(gold.shop.database, both, SetAssetIssuers("k", gold.asset_id, []))
    assert conflict.value.differing_fields == ("organization",)


async def _hold(gold: Gold, member_id: UUID) -> UUID:
    other = gold.other
    command = ReserveCommand(str(new_id()), named(member_id), gold.asset_id, Decimal(5), 600)
    return (await reserve(other.database, other.caller, command)).hold.id


async def _issue_through_parent(
    gold: Gold, child: Shop, member_id: UUID, reward: Reward
) -> StatusCode:
    (code,) = codes_of(
        await issue(
            gold.other,
            str(new_id()),
            member_id,
            item(reward, organization=of(child)),
            caller=reaching(gold.other, child),
            data_scope=DataScope.OTHER,
            organizations=(of(child),),
        )
    )
    return code
