"""Grants are listed, filtered and summed, each caller's own only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from strawberry.types import get_object_definition
from strawberry.utils.str_converters import to_camel_case

from gateway.errors import InvalidInput
from gateway.grants.record import GrantRecord, GrantSource
from gateway.ids import IdKind, encode_id, new_id
from gateway.rewards.fields import RewardFields
from gateway.rewards.model import RewardStatus
from gateway.rewards.types.competition_entry import CompetitionEntryConfiguration
from gateway.rewards.types.points import PointsDraft
from gateway.rewards.types.product import ProductConfiguration
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.rewards.updating import UpdateReward, update_reward
from gateway.storage.database import Database
from gateway.storage.lending import LongReadLending
from resolvers.types.grant import DETAIL_FIELDS, SUMMARY_FIELDS, Grant
from tests.wallets import START, Wallets, logged_statements, open_wallets

GRANTS = """query ($filter: GrantFilter, $first: Int) { grants(filter: $filter, first: $first) {
  totalCount edges { node { id } } } }"""
TOTALS = """query ($by: GrantGrouping!, $filter: GrantFilter) { grantTotals(groupBy: $by, filter: $filter) {
  key grantCount amounts { asset { code } amount } } }"""
DETAILS = """query ($first: Int) { grants(first: $first) { edges { node {
  id status source actionCode clientReference metadata dateRewarded claimedAt expiresAt reversedAt
  transactionId claimTransactionId reversalTransactionId member { id }
  reward { __typename ... on RewardDefinition { id name status } ... on CustomReward { amount currencyCode actionCode } }
  benefits { __typename
    ... on AssetCredit { asset { code } credited: amount }
    ... on ProductUnits { productId quantity asset { name kind } }
    ... on CompetitionEntries { competitionId entries }
    ... on CouponCode { code expiresAt discountType discountValue } } } } } }"""
FIELDS = [
    to_camel_case(field.python_name)
    for field in get_object_definition(Grant, strict=True).fields
    if field.python_name != "record"
]


@dataclass(frozen=True, slots=True)
class Granted:
    """Two members, and what they were granted: points twice, cash for signing up and for inviting, a coupon."""

    wallets: Wallets
    joe: UUID
    ann: UUID
    reward_id: UUID
    points: list[GrantRecord]
    signup: GrantRecord
    invite: GrantRecord
    coupon: GrantRecord

    async def ids(self, caller: Any = None, **conditions: Any) -> list[UUID]:
        """Return the ids of the grants that match, oldest first."""
        data = await self.wallets.read(GRANTS, {"filter": conditions, "first": 100}, caller)
        ids = [edge["node"]["id"] for edge in data["grants"]["edges"]]
        assert data["grants"]["totalCount"] == len(ids)
        return [UUID(id.removeprefix("XT_")) for id in reversed(ids)]

    async def sum(self, by: str, caller: Any = None, **conditions: Any) -> list[Any]:
        """Return groups as (key, count, amounts by asset code)."""
        data = await self.wallets.read(TOTALS, {"by": by, "filter": conditions}, caller)
        return [
            (
                total["key"],
                total["grantCount"],
                {amount["asset"]["code"]: amount["amount"] for amount in total["amounts"]},
            )
            for total in data["grantTotals"]
        ]


@pytest.fixture
async def granted(database: Database) -> Granted:
    wallets = await open_wallets(database)
    joe, ann = await wallets.add_members(2)
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    pool_id = await wallets.shop.create_pool("SPRING-1")
    coupon_reward = await wallets.shop.create_reward(UniqueCouponConfiguration(pool_id))
    points = await wallets.grant(joe, reward, action_code="visit")
    points += await wallets.grant(ann, reward, metadata={"ticket": "T-1"})
    signup = await wallets.grant_cash(joe, 1250, "signup", client_reference="ref-1")
    invite = await wallets.grant_cash(ann, 500, "invite", client_reference="ref-2")
    wallets.at += timedelta(days=1)
    (coupon,) = await wallets.grant(joe, coupon_reward, source=GrantSource.ISSUANCE)
    return Granted(wallets, joe, ann, reward.id, points, signup, invite, coupon)


@pytest.mark.requirement("OWN-9", "ALL-3")
async def test_partner_sees_the_organizations_grants(granted: Granted) -> None:
    everything = [*granted.points, granted.signup, granted.invite, granted.coupon]
    assert await granted.ids() == [grant.id for grant in everything]
    assert await granted.ids(granted.wallets.shop.neighbor) == []
    stranger = replace(granted.wallets.caller, tenant_id=new_id())
    assert await granted.ids(stranger) == []


@pytest.mark.requirement("OWN-9", "ALL-3")
async def test_member_sees_their_own_grants(granted: Granted) -> None:
    joe = granted.wallets.as_member(granted.joe)
    own = [granted.points[0].id, granted.signup.id, granted.coupon.id]
    assert await granted.ids(joe) == own
    # Of any organization.
    assert await granted.ids(replace(joe, organization_id=new_id())) == own
    ann_id = encode_id(IdKind.MEMBER, granted.ann)
    assert await granted.ids(joe, memberId=ann_id) == []
    assert await granted.ids(joe, actionCode="invite") == []


@pytest.mark.requirement("OWN-4")
@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"actionCode": "signup"}, ["signup"]),
        ({"actionCode": "Signup"}, []),
        ({"actionCode": "signup", "status": ["CLAIMED"]}, []),
        ({"clientReference": "ref-2"}, ["invite"]),
        ({"status": ["CONFIRMED"]}, ["signup", "invite"]),
        ({"status": ["CONFIRMED", "CLAIMED"], "type": ["CUSTOM", "UNIQUE_COUPON"]}, ["signup", "invite", "coupon"]),
        ({"status": []}, []),
        ({"source": ["ISSUANCE"]}, ["coupon"]),
        ({"source": ["PARTNER_ACTION", "ISSUANCE"]}, ["signup", "invite", "coupon"]),
        ({"type": ["UNIQUE_COUPON"]}, ["coupon"]),
        ({"rewardedAfter": "2026-11-24T00:00:00Z"}, ["coupon"]),
        ({"rewardedAfter": "2026-11-23T09:00:03Z", "rewardedBefore": "2026-11-23T09:00:04Z"}, ["signup"]),
        ({"rewardId": "rew_x"}, []),
        ({"rewardId": "rew_01a20712-c409-7ff2-82b0-0984fa53a871"}, []),
        ({"memberId": "mem_x"}, []),
    ],
)  # fmt: skip
async def test_grants_are_filtered(
    granted: Granted, conditions: dict[str, Any], expected: list[str]
) -> None:
    assert await granted.ids(**conditions) == [getattr(granted, name).id for name in expected]


async def test_grants_are_filtered_by_member_and_reward(granted: Granted) -> None:
    joe, reward = encode_id(IdKind.MEMBER, granted.joe), encode_id(IdKind.REWARD, granted.reward_id)
    points = [grant.id for grant in granted.points]
    assert await granted.ids(rewardId=reward) == points
    assert await granted.ids(rewardId=reward, memberId=joe) == points[:1]
    assert await granted.ids(memberId=joe, actionCode="signup") == [granted.signup.id]
    assert await granted.ids(granted.wallets.shop.neighbor, rewardId=reward) == []


@pytest.mark.parametrize("name", ["actionCode", "clientReference"])
@pytest.mark.parametrize("text", ["", "a\x00b", "\ud800"])
async def test_text_that_cannot_be_is_refused(granted: Granted, name: str, text: str) -> None:
    variables = {"filter": {name: text}}
    _, (error,) = await granted.wallets.run(GRANTS, variables, granted.wallets.caller)
    assert isinstance(error.original_error, InvalidInput)
    assert error.original_error.path == ("filter", name)


@pytest.mark.requirement("OWN-8", "MON-8", "MON-10")
async def test_grant_shows_what_it_was(granted: Granted) -> None:
    data = await granted.wallets.read(DETAILS)
    coupon, _, signup, with_ticket, _ = [edge["node"] for edge in data["grants"]["edges"]]
    assert signup == {
        "id": encode_id(IdKind.GRANT, granted.signup.id),
        "status": "CONFIRMED",
        "source": "PARTNER_ACTION",
        "actionCode": "signup",
        "clientReference": "ref-1",
        "metadata": {},
        "dateRewarded": "2026-11-23T09:00:03Z",
        "claimedAt": None,
        "expiresAt": None,
        "reversedAt": None,
        "transactionId": encode_id(IdKind.TRANSACTION, granted.signup.transaction_id),
        "claimTransactionId": None,
        "reversalTransactionId": None,
        "member": {"id": encode_id(IdKind.MEMBER, granted.joe)},
        "reward": {
            "__typename": "CustomReward",
            "amount": "12.50",
            "currencyCode": "USD",
            "actionCode": "signup",
        },
        "benefits": [{"__typename": "AssetCredit", "asset": {"code": "USD"}, "credited": "12.50"}],
    }
    assert with_ticket["metadata"] == {"ticket": "T-1"}
    assert with_ticket["claimedAt"] == with_ticket["dateRewarded"]
    assert with_ticket["claimTransactionId"] == with_ticket["transactionId"]
    assert with_ticket["reward"]["__typename"] == "PointsReward"
    assert coupon["reward"]["__typename"] == "UniqueCouponReward"
    assert coupon["benefits"] == [
        {
            "__typename": "CouponCode",
            "code": "SPRING-1",
            "expiresAt": None,
            "discountType": None,
            "discountValue": None,
        }
    ]


@pytest.mark.requirement("MON-9")
async def test_products_show_as_units(granted: Granted) -> None:
    wallets = granted.wallets
    product_id = await wallets.shop.create_product(stock=5)
    reward = await wallets.shop.create_reward(ProductConfiguration(product_id, 2))
    await wallets.grant(granted.joe, reward)
    data = await wallets.read(DETAILS, {"first": 1})
    (edge,) = data["grants"]["edges"]
    assert edge["node"]["benefits"] == [
        {
            "__typename": "ProductUnits",
            "productId": encode_id(IdKind.PRODUCT, product_id),
            "quantity": 2,
            "asset": {"name": "Mug", "kind": "PRODUCT"},
        }
    ]


@pytest.mark.requirement("MON-9")
async def test_entries_show_in_their_competition(granted: Granted) -> None:
    wallets = granted.wallets
    competition_id = await wallets.shop.create_competition()
    reward = await wallets.shop.create_reward(CompetitionEntryConfiguration(competition_id, 3))
    await wallets.grant(granted.joe, reward)
    data = await wallets.read(DETAILS, {"first": 1})
    (edge,) = data["grants"]["edges"]
    assert edge["node"]["benefits"] == [
        {
            "__typename": "CompetitionEntries",
            "competitionId": encode_id(IdKind.COMPETITION, competition_id),
            "entries": 3,
        }
    ]


@pytest.mark.requirement("ALL-3")
async def test_rewards_are_read_once_for_all(granted: Granted) -> None:
    query = """{ grants { ...page } } fragment page on GrantConnection { edges { ...edge ... on GrantEdge { ...edge } } }
        fragment edge on GrantEdge { node { ... { reward { __typename } } } }"""
    with logged_statements(granted.wallets.database) as at_first:
        data = await granted.wallets.read(query)
    kinds = [edge["node"]["reward"]["__typename"] for edge in data["grants"]["edges"]]
    assert kinds == [
        "UniqueCouponReward",
        "CustomReward",
        "CustomReward",
        "PointsReward",
        "PointsReward",
    ]
    # Versions never change: the process has met them now.
    with logged_statements(granted.wallets.database) as later:
        assert await granted.wallets.read(query) == data
    assert sum("reward_versions" in statement for statement in at_first) == 1
    assert len(later) == 1


@pytest.mark.requirement("ALL-3")
@pytest.mark.parametrize("name", FIELDS)
async def test_list_reads_of_a_grant_what_is_selected(granted: Granted, name: str) -> None:
    objects = {"member", "reward", "customFields", "fulfillment", "benefits"}
    selection = f"{name} {{ __typename }}" if name in objects else name
    with logged_statements(granted.wallets.database) as statements:
        data = await granted.wallets.read(f"{{ grants {{ edges {{ node {{ {selection} }} }} }} }}")
    assert ("metadata::text" in statements[0]) is (name in DETAIL_FIELDS)
    assert ("action_code" in statements[0]) is (name in DETAIL_FIELDS | SUMMARY_FIELDS)
    listed = [edge["node"] for edge in data["grants"]["edges"]]
    newest_first = [granted.coupon, granted.invite, granted.signup, *reversed(granted.points)]
    ids = [encode_id(IdKind.GRANT, grant.id) for grant in newest_first]
    query = f"query ($ids: [ID!]!) {{ nodes(ids: $ids) {{ ... on Grant {{ {selection} }} }} }}"
    assert listed == (await granted.wallets.read(query, {"ids": ids}))["nodes"]


@pytest.mark.requirement("MON-5")
async def test_reward_of_a_grant_shows_todays_terms(granted: Granted) -> None:
    query = """{ grants { edges { node { reward { ... on RewardDefinition {
        id name status paymentConfigs { mode } } } } } } }"""

    async def read_terms() -> tuple[set[str], int]:
        with logged_statements(granted.wallets.database) as statements:
            data = await granted.wallets.read(query)
        rewards = [edge["node"]["reward"] for edge in data["grants"]["edges"]]
        return {reward["status"] for reward in rewards if reward}, len(statements)

    await read_terms()
    assert await read_terms() == ({"ACTIVE"}, 2)
    change = RewardFields(status=RewardStatus.INACTIVE)
    shop = granted.wallets.shop
    await update_reward(shop.database, shop.caller, UpdateReward("1", granted.reward_id, change))
    assert await read_terms() == ({"ACTIVE", "INACTIVE"}, 2)


@pytest.mark.requirement("ALL-3")
async def test_grant_behind_another_object_is_as_complete(granted: Granted) -> None:
    query = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Grant { id reward { __typename } benefits { __typename } } } }"""
    ids = [encode_id(IdKind.GRANT, grant.id) for grant in (granted.coupon, granted.signup)]
    data = await granted.wallets.read(query, {"ids": ids})
    assert data["nodes"] == [
        {
            "id": ids[0],
            "reward": {"__typename": "UniqueCouponReward"},
            "benefits": [{"__typename": "CouponCode"}],
        },
        {
            "id": ids[1],
            "reward": {"__typename": "CustomReward"},
            "benefits": [{"__typename": "AssetCredit"}],
        },
    ]


@pytest.mark.requirement("ALL-3")
async def test_many_grants_take_as_many_statements_as_one(granted: Granted) -> None:
    await granted.wallets.read(DETAILS, {"first": 100})
    with logged_statements(granted.wallets.database) as one:
        await granted.wallets.read(DETAILS, {"first": 1})
    with logged_statements(granted.wallets.database) as all_of_them:
        await granted.wallets.read(DETAILS, {"first": 100})
    assert sorted(one) == sorted(all_of_them)
    assert len(one) == 2


@pytest.mark.requirement("OWN-4")
async def test_grants_are_summed_by_action_code(granted: Granted) -> None:
    assert await granted.sum("ACTION_CODE") == [
        (None, 2, {"PTS": "10"}),
        ("invite", 1, {"USD": "5.00"}),
        ("signup", 1, {"USD": "12.50"}),
        ("visit", 1, {"PTS": "10"}),
    ]
    assert await granted.sum("ACTION_CODE", actionCode="signup") == [
        ("signup", 1, {"USD": "12.50"})
    ]


async def test_grants_are_summed_by_anything(granted: Granted) -> None:
    standard = granted.wallets.caller.standard_assets
    assert await granted.sum("DAY") == [
        ("2026-11-24", 1, {}),
        ("2026-11-23", 4, {"PTS": "20", "USD": "17.50"}),
    ]
    assert await granted.sum("SOURCE") == [
        ("MANUAL", 2, {"PTS": "20"}),
        ("PARTNER_ACTION", 2, {"USD": "17.50"}),
        ("ISSUANCE", 1, {}),
    ]
    by_reward = {key: count for key, count, _ in await granted.sum("REWARD")}
    assert by_reward[encode_id(IdKind.REWARD, granted.reward_id)] == 2
    assert by_reward[None] == 2
    by_asset = {key: (count, amounts) for key, count, amounts in await granted.sum("ASSET")}
    assert by_asset == {
        str(standard.points_id): (2, {"PTS": "20"}),
        str(standard.cash_id): (2, {"USD": "17.50"}),
        None: (1, {}),
    }


async def test_sums_are_the_callers_own(granted: Granted) -> None:
    joe = granted.wallets.as_member(granted.joe)
    assert await granted.sum("SOURCE", joe) == [
        ("ISSUANCE", 1, {}),
        ("MANUAL", 1, {"PTS": "10"}),
        ("PARTNER_ACTION", 1, {"USD": "12.50"}),
    ]
    assert await granted.sum("SOURCE", granted.wallets.shop.neighbor) == []


@pytest.mark.requirement("ALL-4")
async def test_reversed_grants_count_only_if_asked_for(granted: Granted) -> None:
    await granted.wallets.database.fetch(
        "UPDATE grants SET status = 'REVERSED', reversed_at = $3 WHERE tenant_id = $1 AND id = $2",
        granted.wallets.caller.tenant_id,
        granted.signup.id,
        START,
    )
    assert await granted.sum("ACTION_CODE", actionCode="signup") == []
    assert await granted.sum("ACTION_CODE", actionCode="signup", status=["REVERSED"]) == [
        ("signup", 1, {"USD": "12.50"})
    ]


async def test_sums_are_one_statement(granted: Granted) -> None:
    await granted.sum("DAY")
    with logged_statements(granted.wallets.database) as statements:
        await granted.sum("DAY")
    assert len(statements) == 1


async def test_sums_and_counts_over_a_history_take_the_slots_of_long_reads(
    granted: Granted, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = granted.wallets.database
    taken: list[None] = []
    take = database.long_reading

    def note() -> LongReadLending:
        taken.append(None)
        return take()

    monkeypatch.setattr(database, "long_reading", note)
    await granted.wallets.read(
        "{ a: grantTotals(groupBy: DAY) { key } b: grantTotals(groupBy: SOURCE) { key } }"
    )
    assert len(taken) == 2
    await granted.wallets.read("{ grants { totalCount } members { totalCount } }")
    assert len(taken) == 4
    await granted.wallets.read("{ grants { edges { cursor } } }")
    assert len(taken) == 4
