"""Partners find the assets that rewards, prices and distributions name."""

from __future__ import annotations

import pytest

from gateway.storage.database import Database
from tests.wallets import Wallets, open_wallets

ASSETS = """
query ($kinds: [AssetKind!], $first: Int, $after: String) {
  assets(kinds: $kinds, first: $first, after: $after) {
    totalCount
    pageInfo { hasNextPage endCursor }
    edges { node { id code kind decimals } }
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
