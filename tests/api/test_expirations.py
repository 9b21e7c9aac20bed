"""nextExpirations, assets with a lifetime, and time to claim, over GraphQL."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import AssetKind
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset
from tests.use_cases import distribute, line
from tests.wallets import Wallets, logged_statements, open_wallets

NEXT = """query ($asset: ID, $first: Int! = 20) { me { nextExpirations(assetId: $asset, first: $first) {
  amount expiresAt asset { code expiresAfterDays } } } }"""
CREATE = """mutation ($input: CreateAssetInput!) { createAsset(input: $input) { __typename
  ... on CreateAssetPayload { asset { expiresAfterDays } } ... on InvalidInput { fieldErrors { path rule } } } }"""
GRANT = """mutation ($input: GrantRewardInput!) { grantReward(input: $input) { __typename
  ... on GrantRewardPayload { grant { status expiresAt } } ... on InvalidInput { fieldErrors { path rule } } } }"""
pytestmark = pytest.mark.requirement("ALL-7")


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def season(wallets: Wallets, code: str = "SEASON", days: int = 30) -> UUID:
    command = CreateAsset(code, code, "Points", AssetKind.POINTS, 1, expires_after_days=days)
    return (await create_asset(wallets.database, wallets.caller, command)).asset.id


async def test_next_expirations_are_listed_the_soonest_first(wallets: Wallets) -> None:
    (member,) = await wallets.add_members()
    late, soon = await season(wallets), await season(wallets, "FLASH", 2)
    for key, asset in (("a", late), ("b", soon), ("c", late)):
        await distribute(wallets.shop, key, line(wallets.shop, member, 10, currency_id=asset))
    await distribute(wallets.shop, "spend", line(wallets.shop, member, -14, currency_id=late))

    async def listed(**given: Any) -> list[tuple[str, str, int]]:
        me = (await wallets.read(NEXT, given, wallets.as_member(member)))["me"]
        return [
            (found["asset"]["code"], found["amount"], found["asset"]["expiresAfterDays"])
            for found in me["nextExpirations"]
        ]

    assert await listed() == [("FLASH", "10.0", 2), ("SEASON", "6.0", 30)]
    assert await listed(first=1) == [("FLASH", "10.0", 2)]
    assert await listed(asset=str(late)) == [("SEASON", "6.0", 30)]
    assert await listed(asset="nonsense") == []
    _, errors = await wallets.run(NEXT, {"first": 101}, wallets.as_member(member))
    assert [error.message for error in errors] == ["first must be from 1 to 100; it is 101."]


async def test_expirations_of_many_members_take_one_statement(wallets: Wallets) -> None:
    asset = await season(wallets)
    for number, member in enumerate(await wallets.add_members(4)):
        moved = line(wallets.shop, member, 10, currency_id=asset)
        await distribute(wallets.shop, str(number), moved)
    query = "{ members { edges { node { nextExpirations { amount asset { code } } } } } }"
    await wallets.read(query)
    with logged_statements(wallets.database) as statements:
        data = await wallets.read(query)
    assert len(statements) == 2
    assert [len(e["node"]["nextExpirations"]) for e in data["members"]["edges"]] == [1] * 4


async def test_asset_with_a_lifetime_is_created(wallets: Wallets) -> None:
    given = {"requestId": "a", "code": "S", "name": "S", "kind": "POINTS", "expiresAfterDays": 90}
    made = (await wallets.read(CREATE, {"input": given}))["createAsset"]
    assert made["asset"] == {"expiresAfterDays": 90}
    wrong = {**given, "requestId": "b", "code": "T", "expiresAfterDays": 0}
    assert (await wallets.read(CREATE, {"input": wrong}))["createAsset"]["fieldErrors"] == [
        {"path": ["input", "expiresAfterDays"], "rule": "range"}
    ]


async def test_grant_has_a_time_to_claim(wallets: Wallets) -> None:
    (member,) = await wallets.add_members()

    async def grant(key: str, expires_at: str) -> Any:
        given = {
            "clientReference": key,
            "member": {"id": encode_id(IdKind.MEMBER, member)},
            "reward": {"custom": {"amount": "5.00", "expiresAt": expires_at}},
            "actionCode": "signup",
        }
        return (await wallets.read(GRANT, {"input": given}))["grantReward"]

    later = "9999-12-31T23:59:59Z"
    assert (await grant("a", later))["grant"] == {"status": "CONFIRMED", "expiresAt": later}
    assert (await grant("b", "2001-01-01T00:00:00Z"))["fieldErrors"] == [
        {"path": ["input", "reward", "custom", "expiresAt"], "rule": "future"}
    ]
