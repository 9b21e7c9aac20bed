"""Partners find the assets that rewards, prices and distributions name."""

from __future__ import annotations

import pytest

from gateway.ledger.assets import AssetKind
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset
from tests.wallets import Wallets, open_wallets

ASSETS = """
query ($kinds: [AssetKind!], $first: Int, $after: String) {
  assets(kinds: $kinds, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { node { id code kind decimals expiresAfterDays } }
  }
}
"""


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


@pytest.mark.requirement("MON-13", "CAP-6")
async def test_assets_are_listed_paged_and_filtered(wallets: Wallets) -> None:
    """Units of products have lists of their own and come only when asked for."""
    await wallets.shop.create_product()
    page = (await wallets.read(ASSETS, {"first": 2}))["assets"]
    rest = (await wallets.read(ASSETS, {"after": page["pageInfo"]["endCursor"]}))["assets"]
    codes = [edge["node"]["code"] for edge in page["edges"] + rest["edges"]]
    assert sorted(codes) == ["PTS", "USD", "XP"]
    assert (page["totalCount"], rest["pageInfo"]["hasNextPage"]) == (3, False)
    products = (await wallets.read(ASSETS, {"kinds": ["PRODUCT"]}))["assets"]
    assert [edge["node"]["kind"] for edge in products["edges"]] == ["PRODUCT"]


@pytest.mark.requirement("CAP-6")
async def test_listed_asset_says_when_its_credits_expire(wallets: Wallets) -> None:
    """The list says of an asset what the asset itself says."""
    command = CreateAsset("miles", "MILES", "Miles", AssetKind.POINTS, 0, expires_after_days=30)
    await create_asset(wallets.database, wallets.caller, command)
    page = (await wallets.read(ASSETS, {"first": 1}))["assets"]
    assert [edge["node"]["expiresAfterDays"] for edge in page["edges"]] == [30]
