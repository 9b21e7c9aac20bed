"""Rewards are created, changed and deleted once per request id, within their organization only."""

from __future__ import annotations

import asyncio
from dataclasses import fields, replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.access import Scope
from gateway.errors import AlreadyExists, Forbidden, InvalidInput, NotFound
from gateway.ids import IdKind, encode_id, new_id
from gateway.ledger.assets import Asset, AssetKind
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.creating import CreateReward, RewardOutcome, create_reward
from gateway.rewards.deleting import DeleteReward, delete_reward
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import (
    PaymentConfig,
    PaymentMode,
    Reward,
    RewardKind,
    RewardStatus,
    RewardTerms,
    RewardVersion,
)
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.sealing import RewardSeal
from gateway.rewards.store import (
    RewardFilter,
    count_rewards,
    fetch_reward_page,
    fetch_rewards,
)
from gateway.rewards.types.base import Draft, Facts
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import DiscountType, NonUniqueCouponDraft
from gateway.rewards.types.points import PointsConfiguration, PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.updating import UpdateReward, update_reward
from gateway.rewards.version_store import fetch_reward_terms, fetch_reward_versions
from gateway.storage.pages import PageRequest
from tests.catalog import Shop, new_fields, open_shop
from tests.sealing import KEYS

SAVE20 = NonUniqueCouponDraft("SAVE20", DiscountType.PERCENTAGE, Decimal(20))
FREE = PaymentConfigDraft(PaymentMode.FREE)


async def update(shop: Shop, reward_id: UUID, key: str, **fields: Any) -> RewardOutcome:
    command = UpdateReward(key, reward_id, RewardFields(**fields))
    return await update_reward(shop.database, shop.caller, command)


async def fetch(shop: Shop, reward_id: UUID, *, neighbor: bool = False) -> Reward | None:
    caller = shop.neighbor if neighbor else shop.caller
    async with shop.database.connection() as connection:
        rewards = await fetch_rewards(
            connection, caller.tenant_id, caller.organization_id, [reward_id]
        )
    return rewards.get(reward_id)


async def fetch_version(shop: Shop, version_id: UUID) -> RewardVersion:
    async with shop.database.connection() as connection:
        versions = await fetch_reward_versions(connection, shop.caller.tenant_id, [version_id])
    return versions[version_id]


async def fetch_terms(shop: Shop, reward_id: UUID) -> RewardTerms:
    async with shop.database.connection() as connection:
        terms = await fetch_reward_terms(connection, shop.caller.tenant_id, [reward_id])
    return terms[reward_id]


def version_of(reward: Reward) -> RewardVersion:
    """Return what a version keeps of the reward that it was made with."""
    kept = {field.name: getattr(reward, field.name) for field in fields(RewardVersion)}
    return RewardVersion(**kept)


@pytest.mark.requirement("MON-1", "MON-2", "MON-3")
async def test_reward_of_each_type_is_kept_as_given(shop: Shop) -> None:
    drafts: list[Draft] = [
        PointsDraft(Decimal(50)),
        ProductConfiguration(await shop.create_product(), 2),
        CompetitionEntryConfiguration(await shop.create_competition(), 5),
        UniqueCouponConfiguration(await shop.create_pool("A")),
        SAVE20,
    ]
    points_id = shop.caller.standard_assets.points_id
    facts = Facts(points_id, {points_id: Asset(points_id, "PTS", "Points", AssetKind.POINTS, 0)})
    kinds = set()
    for draft in drafts:
        created = await shop.create_reward(
            draft, description="Once a day", metadata={"tier": [1, {"a": None}]}
        )
        sealing = RewardSeal(KEYS, shop.caller.tenant_id, created.id)
        assert created == Reward(
            id=created.id,
            organization_id=shop.caller.organization_id,
            kind=created.kind,
            version_id=created.version_id,
            name="Daily points",
            description="Once a day",
            configuration=sealing.keep(created.configuration, draft.complete(facts, sealing.seal)),
            metadata={"tier": [1, {"a": None}]},
            status=RewardStatus.ACTIVE,
            payment_configs=(),
            created_at=created.created_at,
            updated_at=created.created_at,
        )
        assert await fetch(shop, created.id) == created
        kinds.add(created.kind)
    assert kinds == set(RewardKind) - {RewardKind.VENDOR_VOUCHER}


@pytest.mark.requirement("MON-6")
async def test_given_id_is_taken_once(shop: Shop) -> None:
    reward_id = new_id()
    public_id = encode_id(IdKind.REWARD, reward_id)
    command = CreateReward("1", new_fields(), public_id)
    created = await create_reward(shop.database, shop.caller, command)
    assert created.reward.id == reward_id
    before = await shop.count_rows()
    for caller in (shop.caller, shop.neighbor):
        with pytest.raises(AlreadyExists) as raised:
            await create_reward(shop.database, caller, replace(command, request_id="2"))
        assert raised.value.path == ("input", "id")
    await delete_reward(shop.database, shop.caller, DeleteReward("3", reward_id))
    with pytest.raises(AlreadyExists):
        await create_reward(shop.database, shop.caller, replace(command, request_id="4"))
    after = await shop.count_rows()
    # The deletion left its key, and nothing else was written.
    assert after == before | {"operations": before["operations"] + 1}


@pytest.mark.parametrize(
    "public_id",
    [
        "",
        "rew_",
        "prod_0198f6a0-0000-7000-8000-000000000001",
        "rew_0198F6A0-0000-7000-8000-000000000001",
        "rew_00000000-0000-0000-0000-000000000000",
        "rew_ffffffff-ffff-ffff-ffff-ffffffffffff",
        "rew_\x00",
    ],
)
async def test_malformed_id_is_invalid(shop: Shop, public_id: str) -> None:
    before = await shop.count_rows()
    with pytest.raises(InvalidInput) as raised:
        await create_reward(shop.database, shop.caller, CreateReward("1", new_fields(), public_id))
    assert [(error.path, error.rule) for error in raised.value.errors] == [(("input", "id"), "id")]
    assert await shop.count_rows() == before


@pytest.mark.requirement("MON-3")
async def test_every_broken_rule_is_listed(shop: Shop) -> None:
    before = await shop.count_rows()
    fields = new_fields(
        ProductConfiguration(new_id(), 0),
        name=" ",
        description="\x00",
        metadata={"a": "\x00"},
        payment_configs=(FREE, PaymentConfigDraft(PaymentMode.POINTS, new_id(), Decimal(-1))),
    )
    for request_id, expected in (("1", []), ("", [(("input", "requestId"), "required")])):
        with pytest.raises(InvalidInput) as raised:
            await create_reward(shop.database, shop.caller, CreateReward(request_id, fields))
        assert [(error.path, error.rule) for error in raised.value.errors] == [
            *expected,
            (("input", "name"), "required"),
            (("input", "config", "product", "productId"), "exists"),
            (("input", "config", "product", "quantity"), "positive"),
            (("input", "description"), "characters"),
            (("input", "metadata"), "json"),
            (("input", "paymentConfigs", "1", "assetId"), "exists"),
            (("input", "paymentConfigs", "1", "amount"), "positive"),
        ]
    assert await shop.count_rows() == before


@pytest.mark.requirement("MON-3")
@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("name", None, "required"),
        ("name", "x" * 201, "length"),
        ("name", "\ud800", "characters"),
        ("description", "x" * 2001, "length"),
        ("config", None, "required"),
        ("status", None, "required"),
        ("payment_configs", None, "required"),
        ("metadata", None, "object"),
        ("metadata", [1], "object"),
        ("metadata", {"a": "\ud800"}, "json"),
        ("metadata", {"a": 2**70}, "json"),
        ("metadata", {"a": "x" * 16_384}, "size"),
    ],
)
async def test_broken_field_is_named_on_create_and_update(
    shop: Shop, field: str, value: Any, rule: str
) -> None:
    reward = await shop.create_reward()
    before = await shop.count_rows()
    name = "paymentConfigs" if field == "payment_configs" else field
    with pytest.raises(InvalidInput) as raised:
        await update(shop, reward.id, "1", **{field: value})
    assert [(error.path, error.rule) for error in raised.value.errors] == [(("input", name), rule)]
    if field != "config":
        create = CreateReward("2", new_fields(**{field: value}))
        with pytest.raises(InvalidInput) as raised:
            await create_reward(shop.database, shop.caller, create)
        assert [(error.path, error.rule) for error in raised.value.errors] == [
            (("input", name), rule)
        ]
    assert await shop.count_rows() == before
    assert await fetch(shop, reward.id) == reward


@pytest.mark.requirement("MON-13")
async def test_foreign_references_do_not_exist(shop: Shop) -> None:
    drafts: list[Draft] = [
        ProductConfiguration(await shop.create_product(5)),
        CompetitionEntryConfiguration(await shop.create_competition()),
        UniqueCouponConfiguration(await shop.create_pool("A")),
    ]
    before = await shop.count_rows()
    for draft in drafts:
        command = CreateReward("1", new_fields(draft))
        with pytest.raises(InvalidInput) as raised:
            await create_reward(shop.database, shop.neighbor, command)
        assert [error.rule for error in raised.value.errors] == ["exists"]
    other = await open_shop(shop.database)
    asset = PointsDraft(Decimal(1), other.caller.standard_assets.points_id)
    with pytest.raises(InvalidInput) as raised:
        await shop.create_reward(asset)
    assert [error.rule for error in raised.value.errors] == ["exists"]
    after = await shop.count_rows()
    assert (after["rewards"], after["operations"]) == (before["rewards"], before["operations"])


@pytest.mark.requirement("MON-2")
async def test_pool_without_free_codes_is_refused(shop: Shop) -> None:
    with pytest.raises(InvalidInput) as raised:
        await shop.create_reward(UniqueCouponConfiguration(await shop.create_pool()))
    (error,) = raised.value.errors
    assert (error.path[-1], error.rule) == ("codePoolId", "free_codes")


@pytest.mark.requirement("ALL-2")
async def test_replay_returns_first_answer(shop: Shop) -> None:
    draft = UniqueCouponConfiguration(await shop.create_pool("A"))
    command = CreateReward("1", new_fields(draft, payment_configs=(FREE,)))
    first = await create_reward(shop.database, shop.caller, command)
    await update(shop, first.reward.id, "2", name="Renamed", status=RewardStatus.INACTIVE)
    await shop.database.fetch("UPDATE codes SET status = 'VOIDED'")
    before = await shop.count_rows()
    # The pool is empty by now: a new request would be refused, the repeat of the old one is not.
    again = await create_reward(shop.database, shop.caller, command)
    assert again == RewardOutcome(first.reward, idempotent_replay=True)
    assert await shop.count_rows() == before


async def test_reused_key_changes_nothing(shop: Shop) -> None:
    command = CreateReward("1", new_fields(PointsDraft(Decimal("10.0"))))
    await create_reward(shop.database, shop.caller, command)
    same = CreateReward("1", new_fields(PointsDraft(Decimal(10))))
    assert (await create_reward(shop.database, shop.caller, same)).idempotent_replay
    before = await shop.count_rows()
    changed = CreateReward("1", new_fields(PointsDraft(Decimal(11)), name="Other"))
    with pytest.raises(IdempotencyConflict) as raised:
        await create_reward(shop.database, shop.caller, changed)
    assert raised.value.differing_fields == ("config", "name")
    assert await shop.count_rows() == before


@pytest.mark.requirement("MON-4")
async def test_update_changes_only_what_it_names(shop: Shop) -> None:
    reward = await shop.create_reward(description="Old", payment_configs=(FREE,))
    renamed = (await update(shop, reward.id, "1", name="New")).reward
    assert renamed == replace(
        reward, name="New", version_id=renamed.version_id, updated_at=renamed.updated_at
    )
    assert renamed.version_id != reward.version_id
    assert renamed.updated_at > reward.updated_at
    cleared = (await update(shop, reward.id, "2", description=None)).reward
    assert (cleared.name, cleared.description) == ("New", None)
    changed = (
        await update(shop, reward.id, "3", config=PointsDraft(Decimal(99)), metadata={"a": 1})
    ).reward
    points = PointsConfiguration(shop.caller.standard_assets.points_id, 99)
    assert (changed.configuration, changed.metadata) == (points, {"a": 1})
    assert await fetch(shop, reward.id) == changed
    assert await fetch_version(shop, reward.version_id) == version_of(reward)
    assert await fetch_terms(shop, reward.id) == RewardTerms(reward.status, reward.payment_configs)


@pytest.mark.requirement("MON-7")
async def test_status_and_unchanged_content_make_no_version(shop: Shop) -> None:
    reward = await shop.create_reward()
    same = await update(
        shop, reward.id, "1", status=RewardStatus.INACTIVE, name=reward.name, metadata={}
    )
    stored = await fetch(shop, reward.id)
    assert stored == same.reward
    assert (same.reward.version_id, same.reward.status) == (
        reward.version_id,
        RewardStatus.INACTIVE,
    )
    assert (await shop.count_rows())["reward_versions"] == 1


@pytest.mark.requirement("MON-4")
async def test_metadata_that_only_python_calls_equal_is_a_change(shop: Shop) -> None:
    reward = await shop.create_reward(metadata={"b": 1, "a": 2})
    same = await update(shop, reward.id, "1", metadata={"a": 2, "b": 1})
    assert same.reward.version_id == reward.version_id
    changed = await update(shop, reward.id, "2", metadata={"a": 2, "b": True})
    assert changed.reward.version_id != reward.version_id
    stored = await fetch(shop, reward.id)
    assert stored is not None
    assert stored.metadata["b"] is True


@pytest.mark.requirement("MON-4")
async def test_configuration_of_another_type_is_refused(shop: Shop) -> None:
    reward = await shop.create_reward()
    before = await shop.count_rows()
    with pytest.raises(InvalidInput) as raised:
        await update(shop, reward.id, "1", config=SAVE20, name="")
    assert [(error.path, error.rule) for error in raised.value.errors] == [
        (("input", "config", "nonUniqueCoupon"), "type"),
        (("input", "name"), "required"),
    ]
    assert await shop.count_rows() == before
    assert await fetch(shop, reward.id) == reward


@pytest.mark.requirement("CAP-6")
async def test_update_replaces_payment_configs_and_archives_the_old(shop: Shop) -> None:
    points = shop.caller.standard_assets.points_id
    by_ratio = PaymentConfigDraft(
        PaymentMode.CONV_RATIO, points, conversion_ratio=Decimal("0.333333")
    )
    reward = await shop.create_reward(payment_configs=(FREE, by_ratio))
    first, second = reward.payment_configs
    assert (first, second) == (
        PaymentConfig(first.id, PaymentMode.FREE),
        PaymentConfig(
            second.id, PaymentMode.CONV_RATIO, points, conversion_ratio=Decimal("0.333333")
        ),
    )
    assert await fetch(shop, reward.id) == reward
    for_points = PaymentConfigDraft(PaymentMode.POINTS, points, Decimal(5))
    updated = (await update(shop, reward.id, "1", payment_configs=(for_points,))).reward
    (third,) = updated.payment_configs
    assert third == PaymentConfig(third.id, PaymentMode.POINTS, points, 5)
    assert updated.version_id == reward.version_id
    assert await fetch(shop, reward.id) == updated
    rows = await shop.database.fetch("SELECT id FROM payment_configs WHERE archived_at IS NOT NULL")
    assert {row["id"] for row in rows} == {first.id, second.id}
    assert (await update(shop, reward.id, "2", payment_configs=())).reward.payment_configs == ()


@pytest.mark.requirement("MON-5")
async def test_deleted_reward_is_gone_but_its_versions_stay(shop: Shop) -> None:
    reward = await shop.create_reward()
    command = DeleteReward("1", reward.id)
    deleted = await delete_reward(shop.database, shop.caller, command)
    again = await delete_reward(shop.database, shop.caller, command)
    assert (deleted.reward_id, deleted.idempotent_replay) == (reward.id, False)
    assert (again.reward_id, again.idempotent_replay) == (reward.id, True)
    assert await fetch(shop, reward.id) is None
    assert await fetch_version(shop, reward.version_id) == version_of(reward)
    assert await fetch_terms(shop, reward.id) == RewardTerms(reward.status, reward.payment_configs)
    with pytest.raises(NotFound):
        await delete_reward(shop.database, shop.caller, DeleteReward("2", reward.id))
    with pytest.raises(NotFound):
        await update(shop, reward.id, "3", name="Other")


@pytest.mark.requirement("MON-6", "MON-13")
async def test_unknown_and_foreign_rewards_are_not_found(shop: Shop) -> None:
    reward = await shop.create_reward()
    foreign = replace(shop, caller=shop.neighbor)
    stranger = await open_shop(shop.database)
    before = await shop.count_rows()
    messages = set()
    for who, reward_id in ((shop, new_id()), (foreign, reward.id), (stranger, reward.id)):
        assert await fetch(who, reward_id) is None
        with pytest.raises(NotFound) as raised:
            await update(who, reward_id, "1", name="Mine")
        messages.add((raised.value.message, raised.value.path))
        with pytest.raises(NotFound) as raised:
            await delete_reward(who.database, who.caller, DeleteReward("1", reward_id))
        messages.add((raised.value.message, raised.value.path))
    assert len(messages) == 1
    assert await shop.count_rows() == before
    assert await fetch(shop, reward.id) == reward


async def test_scope_is_needed(shop: Shop) -> None:
    reward = await shop.create_reward()
    before = await shop.count_rows()
    caller = replace(shop.caller, scopes=frozenset({Scope.READ, Scope.GRANT}))
    with pytest.raises(Forbidden):
        await create_reward(shop.database, caller, CreateReward("1", new_fields()))
    change = UpdateReward("1", reward.id, RewardFields(name="Mine"))
    with pytest.raises(Forbidden):
        await update_reward(shop.database, caller, change)
    with pytest.raises(Forbidden):
        await delete_reward(shop.database, caller, DeleteReward("1", reward.id))
    assert await shop.count_rows() == before


async def test_concurrent_updates_are_all_kept(shop: Shop) -> None:
    reward = await shop.create_reward()
    outcomes = await asyncio.gather(
        update(shop, reward.id, "1", name="New"),
        update(shop, reward.id, "2", description="Described"),
        update(shop, reward.id, "3", config=PointsDraft(Decimal(77))),
        update(shop, reward.id, "4", status=RewardStatus.INACTIVE),
        update(shop, reward.id, "5", payment_configs=(FREE,)),
    )
    stored = await fetch(shop, reward.id)
    assert stored is not None
    assert (stored.name, stored.description, stored.status) == (
        "New",
        "Described",
        RewardStatus.INACTIVE,
    )
    assert stored.configuration == PointsConfiguration(shop.caller.standard_assets.points_id, 77)
    assert len(stored.payment_configs) == 1
    assert len({outcome.reward.version_id for outcome in outcomes} | {reward.version_id}) == 4


@pytest.mark.requirement("MON-6")
async def test_concurrent_creates_of_one_id_make_one_reward(shop: Shop) -> None:
    public_id = encode_id(IdKind.REWARD, new_id())
    commands = [CreateReward(str(key), new_fields(), public_id) for key in range(8)]
    results = await asyncio.gather(
        *(create_reward(shop.database, shop.caller, command) for command in commands),
        return_exceptions=True,
    )
    assert sum(isinstance(result, RewardOutcome) for result in results) == 1
    assert sum(isinstance(result, AlreadyExists) for result in results) == 7
    assert (await shop.count_rows())["reward_versions"] == 1


@pytest.mark.requirement("MON-1")
async def test_pages_are_newest_first_and_filtered(shop: Shop) -> None:
    rewards = [await shop.create_reward(name=str(number)) for number in range(4)]
    coupon = await shop.create_reward(SAVE20)
    await update(shop, rewards[1].id, "1", status=RewardStatus.INACTIVE)
    await delete_reward(shop.database, shop.caller, DeleteReward("2", rewards[0].id))
    scope = (shop.caller.tenant_id, shop.caller.organization_id)

    async def page(request: PageRequest[UUID], which: RewardFilter) -> tuple[list[str], bool, bool]:
        async with shop.database.connection() as connection:
            found = await fetch_reward_page(connection, *scope, which, request)
        return [reward.name for reward in found.items], found.has_previous, found.has_next

    everything, points = RewardFilter(), RewardFilter(kinds=(RewardKind.POINTS,))
    assert await page(PageRequest(2), everything) == (["Daily points", "3"], False, True)
    assert await page(PageRequest(2, after=rewards[3].id), everything) == (["2", "1"], True, False)
    assert await page(PageRequest(2, backwards=True), everything) == (["2", "1"], True, False)
    assert await page(PageRequest(1, before=rewards[2].id, backwards=True), points) == (
        ["3"],
        False,
        True,
    )
    active = RewardFilter((RewardStatus.ACTIVE,), (RewardKind.POINTS,))
    assert await page(PageRequest(5), active) == (["3", "2"], False, False)
    async with shop.database.connection() as connection:
        assert await count_rewards(connection, *scope, everything) == 4
        assert await count_rewards(connection, *scope, active) == 2
        assert await count_rewards(connection, *scope, RewardFilter(statuses=())) == 0
        both = RewardFilter(tuple(RewardStatus), tuple(RewardKind))
        assert await count_rewards(connection, *scope, both) == 4
        neighbors = (shop.neighbor.tenant_id, shop.neighbor.organization_id)
        assert await count_rewards(connection, *neighbors, everything) == 0
        empty = await fetch_reward_page(connection, *neighbors, everything, PageRequest(5))
    assert list(empty.items) == []
    assert coupon.kind is RewardKind.NON_UNIQUE_COUPON
