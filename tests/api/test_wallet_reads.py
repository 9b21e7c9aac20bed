"""What a signed-in member's wallet shows, and how few statements it takes."""

from __future__ import annotations

from decimal import Decimal

import pytest

from gateway.ids import IdKind, encode_id
from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Database
from tests.wallets import Wallets, logged_statements, open_wallets

WALLET = """query Wallet($first: Int) { me {
  id displayName externalId
  balances { asset { code kind decimals } available held posted updatedAt }
  grants(first: $first) {
    edges { cursor node {
      id status source dateRewarded transactionId member { id }
      reward { __typename
        ... on RewardDefinition { id name }
        ... on PointsReward { amount asset { code } }
        ... on ProductReward { quantity product { name } }
        ... on CustomReward { customAmount: amount currencyCode actionCode } }
      benefits { __typename
        ... on AssetCredit { amount asset { code } }
        ... on ProductUnits { quantity asset { name } }
        ... on CouponCode { code expiresAt } }
    } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
  ledgerEntries(first: $first) {
    edges { cursor node { id amount balanceAfter kind occurredAt asset { code } grant { id status } } }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
  notifications(first: $first) { edges { node { id text } } pageInfo { hasNextPage } }
} }"""


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


@pytest.mark.requirement("ALL-3")
async def test_wallet_shows_balances_grants_and_entries(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    first, second = await wallets.grant(member_id, reward, 2)
    data = await wallets.read(WALLET, {"first": 20}, wallets.as_member(member_id))
    me = data["me"]
    assert me["id"] == encode_id(IdKind.MEMBER, member_id)
    assert me["externalId"] == f"customer-{member_id}"
    assert me["balances"] == [
        {
            "asset": {"code": "PTS", "kind": "POINTS", "decimals": 0},
            "available": "20",
            "held": "0",
            "posted": "20",
            "updatedAt": "2026-11-23T09:00:02Z",
        }
    ]
    grants = [edge["node"] for edge in me["grants"]["edges"]]
    assert [grant["id"] for grant in grants] == [
        encode_id(IdKind.GRANT, second.id),
        encode_id(IdKind.GRANT, first.id),
    ]
    assert grants[0]["benefits"] == [
        {"__typename": "AssetCredit", "amount": "10", "asset": {"code": "PTS"}}
    ]
    assert grants[0]["dateRewarded"] == "2026-11-23T09:00:02Z"
    entries = [edge["node"] for edge in me["ledgerEntries"]["edges"]]
    assert [(entry["amount"], entry["balanceAfter"]) for entry in entries] == [
        ("10", "20"),
        ("10", "10"),
    ]
    assert entries[0]["grant"] == {"id": grants[0]["id"], "status": "CLAIMED"}
    assert entries[0]["id"] == f"ent_{second.transaction_id}_1"
    assert me["notifications"]["edges"] == []


@pytest.mark.requirement("ALL-3")
async def test_wallet_takes_as_many_statements_for_100_rows_as_for_one(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    await wallets.grant(member_id, reward)
    caller = wallets.as_member(member_id)
    # The first time, the process has yet to learn the assets.
    await wallets.read(WALLET, {"first": 1}, caller)
    with logged_statements(wallets.database) as few:
        await wallets.read(WALLET, {"first": 1}, caller)
    await wallets.grant(member_id, reward, 120)
    with logged_statements(wallets.database) as many:
        data = await wallets.read(WALLET, {"first": 100}, caller)
    assert len(data["me"]["grants"]["edges"]) == 100
    assert len(data["me"]["ledgerEntries"]["edges"]) == 100
    # Member with balances and grants, identifiers, entries, notifications; then grants of entries.
    assert len(few) == 5
    assert sorted(many) == sorted(few)


@pytest.mark.requirement("ALL-3")
async def test_lists_within_a_list_take_one_statement_each(wallets: Wallets) -> None:
    members = await wallets.add_members(30)
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    for member_id in members:
        await wallets.grant(member_id, reward, 3)
    query = """query ($first: Int) { members(first: $first) { totalCount edges { node { displayName
      balances { posted } grants(first: 2) { totalCount edges { node { id } } pageInfo { hasNextPage } }
      ledgerEntries(first: 2) { totalCount edges { node { grant { member { displayName } } } } } } } } }"""
    # The first time, the process has yet to learn the assets.
    await wallets.read(query, {"first": 1})
    with logged_statements(wallets.database) as few:
        await wallets.read(query, {"first": 2})
    with logged_statements(wallets.database) as many:
        data = await wallets.read(query, {"first": 30})
    assert len(data["members"]["edges"]) == data["members"]["totalCount"] == 30
    for edge in data["members"]["edges"]:
        assert edge["node"]["balances"] == [{"posted": "30"}]
        assert edge["node"]["grants"]["totalCount"] == 3
        assert edge["node"]["grants"]["pageInfo"] == {"hasNextPage": True}
        assert edge["node"]["ledgerEntries"]["totalCount"] == 3
    assert sorted(many) == sorted(few)
