"""The catalog as it is read: one reward, pages, nodes; within one organization, in a bounded number of statements."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from gateway.access import Scope
from gateway.errors import Forbidden, InvalidInput
from gateway.ids import IdKind, encode_id, new_id
from gateway.rewards.deleting import DeleteReward, delete_reward
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import PaymentMode
from gateway.rewards.payments import PaymentConfigDraft
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.non_unique_coupon import DiscountType, NonUniqueCouponDraft
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.updating import UpdateReward, update_reward
from gateway.storage.database import Database
from tests.wallets import Wallets, logged_statements, open_wallets

SAVE20 = NonUniqueCouponDraft("SAVE20", DiscountType.PERCENTAGE, Decimal(20))

NODE = """
    __typename
    ... on RewardDefinition { id name paymentConfigs { amount asset { code } } }
    ... on PointsReward { amount asset { code } }
    ... on ProductReward { quantity product { name stock } }
    ... on CompetitionEntryReward { entries competition { name } }
    ... on UniqueCouponReward { codePool { name codes { free } } }
    ... on NonUniqueCouponReward { code }
"""
REWARDS = f"""
query ($filter: RewardFilter, $first: Int, $after: String, $last: Int, $before: String) {{
    rewards(filter: $filter, first: $first, after: $after, last: $last, before: $before) {{
        totalCount
        edges {{ cursor node {{ {NODE} }} }}
        pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    }}
}}"""
REWARD = f"query ($id: ID!) {{ reward(id: $id) {{ {NODE} }} }}"
ITEMS = """{
    products { totalCount nodes: edges { node { id name stock } } }
    competitions { totalCount nodes: edges { node { id name } } }
    codePools { totalCount nodes: edges { node { id name codes { free } } } }
}"""
GRANTS = f"{{ grants {{ edges {{ node {{ reward {{ {NODE} }} }} }} }} }}"

DISTRIBUTE = """mutation ($input: DistributeRewardsInput!) { distributeRewards(input: $input) {
    ... on DistributeRewardsPayload { processedCount } ... on Error { message } } }"""
OUTSIDE = """{ grants { edges { node { reward { __typename
    ... on CustomReward { amount currencyCode actionCode }
    ... on CurrencyReward { currency { code } currencyAmount experiencePoints } } } } } }"""


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


def names(answer: Any) -> list[str]:
    return [edge["node"]["name"] for edge in answer["rewards"]["edges"]]


async def stock_catalog(wallets: Wallets, count: int) -> None:
    """Create `count` rewards of each type, each with things of its own."""
    shop = wallets.shop
    paid = PaymentConfigDraft(PaymentMode.POINTS, shop.caller.standard_assets.points_id, Decimal(5))
    for _ in range(count):
        codes = (str(new_id()), str(new_id()))
        await shop.create_reward(payment_configs=(paid,))
        await shop.create_reward(ProductConfiguration(await shop.create_product(3)))
        await shop.create_reward(CompetitionEntryConfiguration(await shop.create_competition()))
        await shop.create_reward(UniqueCouponConfiguration(await shop.create_pool(*codes)))
        await shop.create_reward(SAVE20)


@pytest.mark.requirement("MON-1")
async def test_catalog_is_paged_filtered_and_counted(wallets: Wallets) -> None:
    for number in range(3):
        await wallets.shop.create_reward(name=str(number))
    await wallets.shop.create_reward(SAVE20, name="coupon")
    first = await wallets.read(REWARDS, {"first": 2})
    assert names(first) == ["coupon", "2"]
    page = first["rewards"]["pageInfo"]
    assert (page["hasNextPage"], page["hasPreviousPage"]) == (True, False)
    assert first["rewards"]["totalCount"] == 4
    second = await wallets.read(REWARDS, {"first": 2, "after": page["endCursor"]})
    assert names(second) == ["1", "0"]
    assert second["rewards"]["pageInfo"]["hasNextPage"] is False
    back = {"last": 1, "before": second["rewards"]["pageInfo"]["startCursor"]}
    assert names(await wallets.read(REWARDS, back)) == ["2"]
    points = await wallets.read(REWARDS, {"filter": {"type": "POINTS", "status": ["ACTIVE"]}})
    assert names(points) == ["2", "1", "0"]
    assert points["rewards"]["totalCount"] == 3
    for nothing in ({"status": ["INACTIVE"]}, {"type": list[str]()}):
        answer = await wallets.read(REWARDS, {"filter": nothing})
        assert (names(answer), answer["rewards"]["totalCount"]) == ([], 0)
    for wrong in ({"first": 101}, {"after": "x"}, {"first": 1, "last": 1}):
        _, (error,) = await wallets.run(REWARDS, wrong, wallets.caller)
        assert isinstance(error.original_error, InvalidInput)


@pytest.mark.requirement("ALL-3")
async def test_page_takes_as_many_statements_for_50_rewards_as_for_5(wallets: Wallets) -> None:
    await stock_catalog(wallets, 1)
    query = {"first": 50}
    await wallets.read(REWARDS, query)
    with logged_statements(wallets.database) as few:
        answer = await wallets.read(REWARDS, query)
    assert len(answer["rewards"]["edges"]) == 5
    await stock_catalog(wallets, 9)
    with logged_statements(wallets.database) as many:
        answer = await wallets.read(REWARDS, query)
    assert len(answer["rewards"]["edges"]) == 50
    assert len(many) == len(few) <= 8


@pytest.mark.requirement("MON-1", "MON-6", "MON-13")
async def test_reward_is_found_in_its_own_organization_only(wallets: Wallets) -> None:
    reward = await wallets.shop.create_reward(name="Mine")
    public_id = encode_id(IdKind.REWARD, reward.id)
    found = await wallets.read(REWARD, {"id": public_id})
    assert found["reward"]["name"] == "Mine"
    neighbor = wallets.shop.neighbor
    assert await wallets.read(REWARD, {"id": public_id}, neighbor) == {"reward": None}
    for unknown in (encode_id(IdKind.REWARD, new_id()), "rew_x", ""):
        assert await wallets.read(REWARD, {"id": unknown}) == {"reward": None}
    assert names(await wallets.read(REWARDS, {}, neighbor)) == []
    items = await wallets.read(ITEMS, {}, neighbor)
    assert {key: found["totalCount"] for key, found in items.items()} == {
        "products": 0,
        "competitions": 0,
        "codePools": 0,
    }


@pytest.mark.requirement("MON-10")
async def test_items_are_listed_newest_first(wallets: Wallets) -> None:
    shop = wallets.shop
    products = [await shop.create_product(stock) for stock in (0, 4)]
    competition, pool = await shop.create_competition(), await shop.create_pool("A", "B")
    assert await wallets.read(ITEMS) == {
        "products": {
            "totalCount": 2,
            "nodes": [
                {"node": {"id": f"prod_{products[1]}", "name": "Mug", "stock": 4}},
                {"node": {"id": f"prod_{products[0]}", "name": "Mug", "stock": 0}},
            ],
        },
        "competitions": {
            "totalCount": 1,
            "nodes": [{"node": {"id": f"comp_{competition}", "name": "Grand prize"}}],
        },
        "codePools": {
            "totalCount": 1,
            "nodes": [
                {"node": {"id": f"pool_{pool}", "name": "Spring codes", "codes": {"free": 2}}}
            ],
        },
    }


@pytest.mark.requirement("MON-13")
async def test_catalog_is_not_for_members(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    reward = await wallets.shop.create_reward()
    public_id = encode_id(IdKind.REWARD, reward.id)
    member = wallets.as_member(member_id)
    for query, variables in ((REWARDS, {}), (REWARD, {"id": public_id}), (ITEMS, {})):
        _, errors = await wallets.run(query, variables, member)
        assert all(isinstance(error.original_error, Forbidden) for error in errors)
        assert errors


@pytest.mark.requirement("MON-13")
async def test_nodes_of_the_catalog(wallets: Wallets) -> None:
    shop = wallets.shop
    ids = [
        encode_id(IdKind.REWARD, (await shop.create_reward()).id),
        encode_id(IdKind.PRODUCT, await shop.create_product()),
        encode_id(IdKind.COMPETITION, await shop.create_competition()),
        encode_id(IdKind.CODE_POOL, await shop.create_pool()),
    ]
    query = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"
    variables = {"ids": [*ids, encode_id(IdKind.REWARD, new_id())]}
    assert (await wallets.read(query, variables))["nodes"] == [
        {"__typename": "PointsReward", "id": ids[0]},
        {"__typename": "Product", "id": ids[1]},
        {"__typename": "Competition", "id": ids[2]},
        {"__typename": "CodePool", "id": ids[3]},
        None,
    ]
    (member_id,) = await wallets.add_members()
    for stranger in (shop.neighbor, wallets.as_member(member_id)):
        answer = await wallets.read(query, variables, stranger)
        assert answer["nodes"] == [None] * 5


@pytest.mark.requirement("MON-5")
async def test_grant_shows_its_reward_as_it_was(wallets: Wallets) -> None:
    shop = wallets.shop
    (member_id,) = await wallets.add_members()
    reward = await shop.create_reward(PointsDraft(Decimal(10)), name="Old")
    await wallets.grant(member_id, reward)
    change = RewardFields(name="New", config=PointsDraft(Decimal(99)))
    changed = await update_reward(shop.database, shop.caller, UpdateReward("1", reward.id, change))
    await wallets.grant(member_id, changed.reward)
    await delete_reward(shop.database, shop.caller, DeleteReward("2", reward.id))
    answer = await wallets.read(GRANTS, {}, wallets.as_member(member_id))
    shown = [edge["node"]["reward"] for edge in answer["grants"]["edges"]]
    assert [(found["name"], found["amount"]) for found in shown] == [("New", "99"), ("Old", "10")]
    assert {found["id"] for found in shown} == {encode_id(IdKind.REWARD, reward.id)}


async def test_code_pool_of_a_granted_coupon_is_not_for_members(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    pool_id = await wallets.shop.create_pool("A")
    reward = await wallets.shop.create_reward(UniqueCouponConfiguration(pool_id))
    await wallets.grant(member_id, reward)
    (edge,) = (await wallets.read(GRANTS, {}, wallets.as_member(member_id)))["grants"]["edges"]
    assert edge["node"]["reward"]["codePool"] is None
    reader = replace(wallets.caller, scopes=frozenset({Scope.READ}))
    answer = await wallets.read(GRANTS, {}, reader)
    (edge,) = answer["grants"]["edges"]
    assert edge["node"]["reward"]["codePool"] == {"name": "Spring codes", "codes": {"free": 0}}


@pytest.mark.requirement("ALL-1", "OWN-8", "ON3-2")
async def test_rewards_outside_the_catalog_are_shown_from_the_grant(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    await wallets.grant_cash(member_id, 1250, "signup")
    points_id = str(wallets.caller.standard_assets.points_id)
    recipient = {"identifierType": "EXTERNAL_ID", "identifierValue": f"customer-{member_id}"}
    lines: list[dict[str, Any]] = [
        {"currencyReward": {"currencyId": points_id, "amount": 7}, "xpReward": 3},
        {"currencyReward": {"currencyId": points_id, "amount": -2}},
        {"xpReward": 5},
    ]
    distribution = {
        "requestId": "1",
        "rewards": [{"recipient": recipient, **line} for line in lines],
    }
    answer = await wallets.read(DISTRIBUTE, {"input": distribution})
    assert answer["distributeRewards"]["processedCount"] == 3, answer
    answer = await wallets.read(OUTSIDE, {}, wallets.as_member(member_id))
    shown = {str(edge["node"]["reward"]) for edge in answer["grants"]["edges"]}
    points = {"code": "PTS"}
    assert shown == {
        str(found)
        for found in (
            custom("12.50", "USD", "signup"),
            currency(points, "7", 3),
            currency(points, "-2", None),
            currency(None, None, 5),
        )
    }


def custom(amount: str, code: str, action_code: str) -> dict[str, Any]:
    return {
        "__typename": "CustomReward",
        "amount": amount,
        "currencyCode": code,
        "actionCode": action_code,
    }


def currency(asset: Any, amount: str | None, experience: int | None) -> dict[str, Any]:
    return {
        "__typename": "CurrencyReward",
        "currency": asset,
        "currencyAmount": amount,
        "experiencePoints": experience,
    }
