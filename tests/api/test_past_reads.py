"""Balances and statements of a past time, over GraphQL."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Database
from tests.wallets import Wallets, logged_statements, open_wallets

PAST = """query ($at: DateTime, $asset: ID!, $after: DateTime, $before: DateTime) { me {
  balances(asOf: $at) { posted available held updatedAt }
  balance(assetId: $asset, asOf: $at) { posted }
  now: balance(assetId: $asset) { posted }
  ledgerEntries(occurredAfter: $after, occurredBefore: $before) { totalCount edges { node { amount } } } } }"""
pytestmark = pytest.mark.requirement("ALL-3")


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def test_wallet_of_a_past_time(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    # Granted at 09:00:01, 09:00:02 and 09:00:03.
    await wallets.grant(member_id, reward, 3)
    points_id = str(wallets.caller.standard_assets.points_id)

    async def read(at: str | None, after: str | None, before: str | None) -> Any:
        given = {"at": at, "asset": points_id, "after": after, "before": before}
        return (await wallets.read(PAST, given, wallets.as_member(member_id)))["me"]

    day = "2026-11-23T09:00:0"
    assert await read(f"{day}2Z", f"{day}2Z", f"{day}3Z") == {
        "balances": [{"posted": "20", "available": "20", "held": "0", "updatedAt": f"{day}2Z"}],
        "balance": {"posted": "20"},
        "now": {"posted": "30"},
        "ledgerEntries": {"totalCount": 1, "edges": [{"node": {"amount": "10"}}]},
    }
    before = await read("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z")
    assert (before["balances"], before["balance"]) == ([], None)
    assert before["ledgerEntries"] == {"totalCount": 0, "edges": []}
    later = await read("9999-12-31T23:59:59Z", None, None)
    assert later["balance"] == {"posted": "30"}
    assert later["ledgerEntries"]["totalCount"] == 3


async def test_past_balances_of_many_members_take_one_statement(wallets: Wallets) -> None:
    reward = await wallets.shop.create_reward()
    for member_id in await wallets.add_members(10):
        await wallets.grant(member_id, reward)
    query = (
        """{ members { edges { node { balances(asOf: "2026-11-23T09:00:05Z") { posted } } } } }"""
    )
    await wallets.read(query)
    with logged_statements(wallets.database) as statements:
        data = await wallets.read(query)
    assert len(statements) == 2
    shown = [edge["node"]["balances"] for edge in data["members"]["edges"]]
    assert shown == [[]] * 5 + [[{"posted": "10"}]] * 5
