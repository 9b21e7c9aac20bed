"""What an organization sees of what others own: nothing, unless it reaches them or they name it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from gateway.access import Caller
from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import AssetKind
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset
from gateway.tenants.setting_issuers import SetAssetIssuers, set_asset_issuers
from tests.catalog import Shop
from tests.issuing_cases import add_child, add_group, organization, reaching
from tests.owned_things import Owned, make_things
from tests.use_cases import distribute, line, points_of
from tests.wallets import Wallets, open_wallets

WALLET = """
query ($member: MemberRef!, $gold: ID!) {
  member(by: $member) {
    displayName
    balances { asset { code } }
    gold: balance(assetId: $gold) { available }
    past: balances(asOf: "2030-01-01T00:00:00Z") { asset { code } }
    ledgerEntries { totalCount edges { node { id asset { code } } } }
    period: ledgerEntries(occurredAfter: "2020-01-01T00:00:00Z") { totalCount edges { node { asset { code } } } }
    goldEntries: ledgerEntries(assetId: $gold) { totalCount edges { node { asset { code } } } }
    nextExpirations { asset { code } }
    groups { name externalId }
  }
}
"""
ASSETS = "{ assets { totalCount edges { node { code ownerOrgId issuers } } } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }"
GROUP = "query ($by: GroupRef!) { group(by: $by) { id name balances { asset { code } } } }"


@dataclass(frozen=True, slots=True)
class Read:
    """A wallet as one caller reads it: codes of assets, and whether the group shows."""

    balances: set[str]
    past: set[str]
    entries: set[str]
    expirations: set[str]
    has_gold: bool
    group_count: int


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def read_wallet(wallets: Wallets, owned: Owned, caller: Caller) -> Read:
    variables = {"member": _member(owned), "gold": str(owned.asset_id)}
    member = (await wallets.read(WALLET, variables, caller))["member"]
    for name in ("ledgerEntries", "period", "goldEntries"):
        assert member[name]["totalCount"] == len(member[name]["edges"])
    entries = _codes(edge["node"] for edge in member["ledgerEntries"]["edges"])
    assert _codes(edge["node"] for edge in member["period"]["edges"]) == entries
    has_gold = member["gold"] is not None
    assert bool(member["goldEntries"]["edges"]) == has_gold
    return Read(
        _codes(member["balances"]),
        _codes(member["past"]),
        entries,
        _codes(member["nextExpirations"]),
        has_gold,
        len(member["groups"]),
    )


def _codes(shown: Any) -> set[str]:
    return {each["asset"]["code"] for each in shown}


def _member(owned: Owned) -> dict[str, str]:
    return {"id": encode_id(IdKind.MEMBER, owned.member_id)}


async def make_wallet(child: Shop) -> Owned:
    """Make one of everything, and give the member an asset that expires too."""
    owned = await make_things(child)
    season = CreateAsset("season", "SEASON", "Season", AssetKind.POINTS, 0, None, 30)
    created = await create_asset(child.database, child.caller, season)
    given = line(child, owned.member_id, 7, currency_id=created.asset.id)
    await distribute(child, "season", given)
    return owned


@pytest.mark.requirement("MON-13", "ALL-3", "CAP-13")
async def test_shared_members_wallet_shows_each_organization_its_own_part(wallets: Wallets) -> None:
    child = await add_child(wallets.shop)
    owned = await make_wallet(child)
    shared, private = {"PTS"}, {"GOLD", "SEASON"}
    everything = Read(shared | private, shared | private, shared | private, {"SEASON"}, True, 1)
    assert await read_wallet(wallets, owned, child.caller) == everything
    assert await read_wallet(wallets, owned, reaching(wallets.shop, child)) == everything
    assert await read_wallet(wallets, owned, wallets.as_member(owned.member_id)) == everything
    rest = Read(shared, shared, shared, set(), False, 0)
    for caller in (wallets.caller, wallets.shop.neighbor):
        assert await read_wallet(wallets, owned, caller) == rest
    # Who is named as an issuer sees that asset, and no other.
    await _name(child, owned, wallets.shop)
    named = Read({"PTS", "GOLD"}, {"PTS", "GOLD"}, {"PTS", "GOLD"}, set(), True, 0)
    assert await read_wallet(wallets, owned, wallets.caller) == named
    assert await read_wallet(wallets, owned, wallets.shop.neighbor) == rest


@pytest.mark.requirement("MON-13")
async def test_assets_are_listed_for_whoever_may_see_them(wallets: Wallets) -> None:
    child = await add_child(wallets.shop)
    owned = await make_things(child)
    owner_id = encode_id(IdKind.ORGANIZATION, child.caller.organization_id)
    issuer_id = encode_id(IdKind.ORGANIZATION, wallets.caller.organization_id)
    shared = {("PTS", None, None), ("XP", None, None), ("USD", None, None)}
    assert await _listed(wallets, child.caller) == {*shared, ("GOLD", owner_id, ())}
    hidden = ("GOLD", owner_id, None)
    assert await _listed(wallets, reaching(wallets.shop, child)) == {*shared, hidden}
    for caller in (wallets.caller, wallets.shop.neighbor):
        assert await _listed(wallets, caller) == shared
    await _name(child, owned, wallets.shop)
    assert await _listed(wallets, child.caller) == {*shared, ("GOLD", owner_id, (issuer_id,))}
    assert await _listed(wallets, wallets.caller) == {*shared, hidden}
    assert await _listed(wallets, wallets.shop.neighbor) == shared


@pytest.mark.requirement("MON-13")
async def test_node_of_anothers_is_null(wallets: Wallets) -> None:
    child = await add_child(wallets.shop)
    owned = await make_things(child)
    member = (
        await wallets.read(
            WALLET, {"member": _member(owned), "gold": str(owned.asset_id)}, child.caller
        )
    )["member"]
    (entry_id,) = [
        edge["node"]["id"]
        for edge in member["ledgerEntries"]["edges"]
        if edge["node"]["asset"]["code"] == "GOLD"
    ]
    ids = [
        str(owned.asset_id),
        str(owned.product_id),
        entry_id,
        encode_id(IdKind.GROUP, owned.group_id),
        str(points_of(child)),
    ]
    types = ["Asset", "Asset", "LedgerEntry", "Group", "Asset"]
    unseen = [None, None, None, None, "Asset"]
    for caller, expected in (
        (child.caller, types),
        (reaching(wallets.shop, child), types),
        (wallets.caller, unseen),
        (wallets.shop.neighbor, unseen),
    ):
        nodes = (await wallets.read(NODES, {"ids": ids}, caller))["nodes"]
        assert [node and node["__typename"] for node in nodes] == expected


@pytest.mark.requirement("MON-13", "CAP-12")
async def test_name_of_a_group_means_ones_own_group_first(wallets: Wallets) -> None:
    """Organizations may use the same external id, and make a group of the same member."""
    child = await add_child(wallets.shop)
    owned = await make_things(child)
    names: list[dict[str, Any]] = [{"externalId": "family"}, {"primaryMember": _member(owned)}]
    for name in names:
        found = await wallets.read(GROUP, {"by": name}, reaching(wallets.shop, child))
        assert found["group"]["id"] == encode_id(IdKind.GROUP, owned.group_id)
        assert (await wallets.read(GROUP, {"by": name}))["group"] is None
    own = await add_group(wallets.shop, owned.member_id, external_id="family")
    for name in names:
        for caller in (wallets.caller, reaching(wallets.shop, child)):
            found = await wallets.read(GROUP, {"by": name}, caller)
            assert found["group"]["id"] == encode_id(IdKind.GROUP, own.id)
        found = await wallets.read(GROUP, {"by": name}, child.caller)
        assert found["group"]["id"] == encode_id(IdKind.GROUP, owned.group_id)


async def _name(shop: Shop, owned: Owned, issuer: Shop) -> None:
    issuers = [organization(issuer.caller.organization_id)]
    command = SetAssetIssuers("name", owned.asset_id, issuers)
    await set_asset_issuers(shop.database, shop.caller, command)


async def _listed(wallets: Wallets, caller: Caller) -> set[tuple[Any, ...]]:
    assets = (await wallets.read(ASSETS, None, caller))["assets"]
    nodes = [edge["node"] for edge in assets["edges"]]
    assert assets["totalCount"] == len(nodes)
    return {
        (
            node["code"],
            node["ownerOrgId"],
            None if node["issuers"] is None else tuple(node["issuers"]),
        )
        for node in nodes
    }
