"""Every list is walked by cursors, forwards and backwards, without gaps or repeats, whatever happens meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from gateway.ids import IdKind, encode_id, new_ids
from gateway.ledger.assets import AssetKind
from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset
from resolvers.pages import CURSOR_LENGTH_MAX
from tests.wallets import Wallets, open_wallets

LISTS = ["grants", "ledgerEntries", "notifications"]
ARGUMENTS = "$first: Int, $after: String, $last: Int, $before: String"
PASSED_ON = "first: $first, after: $after, last: $last, before: $before"
PAGE = "totalCount edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


@dataclass(frozen=True, slots=True)
class Walker:
    """Reads one list page by page."""

    wallets: Wallets
    query: str
    variables: dict[str, Any]

    async def page(self, **arguments: Any) -> Any:
        """Return one page."""
        data = await self.wallets.read(self.query, self.variables | arguments)
        (page,) = data.get("member", data).values()
        return page

    async def walk(self, size: int, *, backwards: bool = False) -> list[str]:
        """Return the ids of the whole list in list order, read page by page."""
        ids: list[str] = []
        cursor: str | None = None
        while True:
            if backwards:
                page = await self.page(last=size, before=cursor)
                ids = ids_of(page) + ids
                more, cursor = page["pageInfo"]["hasPreviousPage"], page["pageInfo"]["startCursor"]
            else:
                page = await self.page(first=size, after=cursor)
                ids += ids_of(page)
                more, cursor = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
            if not more:
                return ids
            assert len(page["edges"]) == size


def ids_of(page: Any) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


@pytest.fixture
async def member_id(wallets: Wallets) -> UUID:
    """Fill a wallet of three assets with seven grants, not all posted in the order of their times."""
    (member_id,) = await wallets.add_members()
    command = CreateAsset("gold", "GOLD", "Gold", AssetKind.CURRENCY)
    gold = (await create_asset(wallets.database, wallets.caller, command)).asset
    rewards = [
        await wallets.shop.create_reward(PointsDraft(Decimal(amount), asset_id))
        for amount, asset_id in (
            (10, wallets.caller.standard_assets.points_id),
            (20, wallets.caller.standard_assets.experience_id),
            (30, gold.id),
        )
    ]
    for reward in rewards:
        await wallets.grant(member_id, reward, 2)
    wallets.at -= timedelta(seconds=3)
    await wallets.grant(member_id, rewards[0])
    await add_notifications(wallets, member_id, 7)
    return member_id


async def add_notifications(wallets: Wallets, member_id: UUID, count: int) -> None:
    statement = """
        INSERT INTO notifications (tenant_id, id, member_id, grant_id, text, created_at)
        SELECT $1, unnest($2::uuid[]), $3, id, 'Hello', $4
        FROM (SELECT id FROM grants WHERE tenant_id = $1 AND member_id = $3 LIMIT 1) AS first_grant
    """
    tenant_id = wallets.caller.tenant_id
    await wallets.database.fetch(statement, tenant_id, new_ids(count), member_id, wallets.at)


def walker(wallets: Wallets, member_id: UUID, name: str, extra: str = "") -> Walker:
    query = f"""query ($member: ID!, {ARGUMENTS}) {{ member(by: {{id: $member}}) {{
        {name}({PASSED_ON} {extra}) {{ {PAGE} }} }} }}"""
    return Walker(wallets, query, {"member": encode_id(IdKind.MEMBER, member_id)})


@pytest.mark.requirement("ALL-3")
@pytest.mark.parametrize("name", LISTS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 20])
async def test_pages_make_up_the_list(
    wallets: Wallets, member_id: UUID, name: str, size: int
) -> None:
    list_walker = walker(wallets, member_id, name)
    whole = ids_of(await list_walker.page(first=100))
    assert len(set(whole)) == len(whole) == 7
    assert await list_walker.walk(size) == whole
    assert await list_walker.walk(size, backwards=True) == whole


@pytest.mark.requirement("ALL-3")
async def test_statement_is_in_the_order_of_time(wallets: Wallets, member_id: UUID) -> None:
    query = """query ($member: ID!) { member(by: {id: $member}) {
        ledgerEntries { edges { node { occurredAt } } } } }"""
    data = await wallets.read(query, {"member": encode_id(IdKind.MEMBER, member_id)})
    times = [edge["node"]["occurredAt"] for edge in data["member"]["ledgerEntries"]["edges"]]
    assert times == sorted(times, reverse=True)


@pytest.mark.requirement("ALL-3")
@pytest.mark.parametrize("size", [1, 2, 5])
async def test_statement_of_one_asset_is_in_the_order_of_posting(
    wallets: Wallets, member_id: UUID, size: int
) -> None:
    points = wallets.caller.standard_assets.points_id
    list_walker = walker(wallets, member_id, "ledgerEntries", f'assetId: "{points}"')
    whole = await list_walker.walk(100)
    assert await list_walker.walk(size) == whole
    assert await list_walker.walk(size, backwards=True) == whole
    query = """query ($member: ID!, $asset: ID!) { member(by: {id: $member}) {
        ledgerEntries(assetId: $asset) { totalCount edges { node { id balanceAfter } } } } }"""
    variables = {"member": encode_id(IdKind.MEMBER, member_id), "asset": str(points).upper()}
    entries = (await wallets.read(query, variables))["member"]["ledgerEntries"]
    assert entries["totalCount"] == 3
    assert [edge["node"]["balanceAfter"] for edge in entries["edges"]] == ["30", "20", "10"]
    assert ids_of(entries) == whole


@pytest.mark.parametrize("name", LISTS)
async def test_page_information_tells_what_lies_beyond(
    wallets: Wallets, member_id: UUID, name: str
) -> None:
    list_walker = walker(wallets, member_id, name)
    whole = await list_walker.page(first=100)
    cursors = [edge["cursor"] for edge in whole["edges"]]
    between = await list_walker.page(first=100, after=cursors[1], before=cursors[4])
    assert ids_of(between) == ids_of(whole)[2:4]
    assert between["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": True,
        "startCursor": cursors[2],
        "endCursor": cursors[3],
    }
    assert between["totalCount"] == 7
    first = await list_walker.page(first=2)
    assert first["pageInfo"]["hasNextPage"]
    assert not first["pageInfo"]["hasPreviousPage"]
    last = await list_walker.page(last=2)
    assert ids_of(last) == ids_of(whole)[-2:]
    assert not last["pageInfo"]["hasNextPage"]
    assert last["pageInfo"]["hasPreviousPage"]
    none = await list_walker.page(first=0)
    assert none["edges"] == []
    assert none["pageInfo"] == {
        "hasNextPage": True,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }


async def test_rows_added_meanwhile_do_not_shift_pages(wallets: Wallets, member_id: UUID) -> None:
    list_walker = walker(wallets, member_id, "ledgerEntries")
    whole = await list_walker.walk(100)
    first = await list_walker.page(first=3)
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    wallets.at += timedelta(hours=1)
    await wallets.grant(member_id, reward, 4)
    rest = await list_walker.page(first=100, after=first["pageInfo"]["endCursor"])
    assert ids_of(first) + ids_of(rest) == whole


async def test_notification_leads_to_its_grant(wallets: Wallets, member_id: UUID) -> None:
    query = "{ me { notifications(first: 1) { edges { node { text grant { id status } } } } } }"
    caller = wallets.as_member(member_id)
    (edge,) = (await wallets.read(query, caller=caller))["me"]["notifications"]["edges"]
    assert edge["node"]["text"] == "Hello"
    assert edge["node"]["grant"]["status"] == "CLAIMED"


@pytest.mark.requirement("MON-13")
async def test_another_organization_sees_entries_without_their_grants(
    wallets: Wallets, member_id: UUID
) -> None:
    query = """query ($member: ID!) { member(by: {id: $member}) { balances { posted } grants { totalCount }
        notifications { totalCount edges { node { id } } } ledgerEntries { totalCount edges { node { grant { id } } } } } }"""
    variables = {"member": encode_id(IdKind.MEMBER, member_id)}
    member = (await wallets.read(query, variables, wallets.shop.neighbor))["member"]
    # Of the assets that the tenant shares; the third is its organization's own.
    assert len(member["balances"]) == 2
    assert member["grants"]["totalCount"] == 0
    assert member["notifications"] == {"totalCount": 0, "edges": []}
    assert member["ledgerEntries"]["totalCount"] == 5
    assert {edge["node"]["grant"] for edge in member["ledgerEntries"]["edges"]} == {None}


async def test_everybody_is_listed(wallets: Wallets, member_id: UUID) -> None:
    others = await wallets.add_members(4)
    query = f"query ({ARGUMENTS}) {{ members({PASSED_ON}) {{ {PAGE} }} }}"
    list_walker = Walker(wallets, query, {})
    expected = [encode_id(IdKind.MEMBER, id) for id in sorted([member_id, *others], reverse=True)]
    assert await list_walker.walk(2) == expected
    assert await list_walker.walk(2, backwards=True) == expected
    assert (await list_walker.page())["totalCount"] == 5


@pytest.mark.parametrize(
    ("arguments", "path", "rule"),
    [
        ({"first": -1}, "first", "range"),
        ({"first": 101}, "first", "range"),
        ({"last": -1}, "last", "range"),
        ({"last": 101}, "last", "range"),
        ({"first": 1, "last": 1}, "last", "exclusive"),
        ({"after": ""}, "after", "cursor"),
        ({"after": "not base64!"}, "after", "cursor"),
        ({"after": "\ud800"}, "after", "cursor"),
        ({"before": "AWc6"}, "before", "cursor"),
        # The kind of a statement's cursors, with a time that no calendar has.
        ({"before": "AWU6f_________8AAAAAAAAAAQAAAAAAAAAAAAAAAAAAAAA"}, "before", "cursor"),
        ({"before": "A" * (CURSOR_LENGTH_MAX + 1)}, "before", "cursor"),
    ],
)
@pytest.mark.parametrize("name", LISTS)
async def test_wrong_page_arguments_are_named(
    wallets: Wallets, name: str, arguments: dict[str, Any], path: str, rule: str
) -> None:
    (member_id,) = await wallets.add_members()
    list_walker = walker(wallets, member_id, name)
    variables = list_walker.variables | arguments
    data, errors = await wallets.run(list_walker.query, variables, wallets.caller)
    # What can be answered beside the list still is.
    assert data["member"][name] is None
    (error,) = errors
    (broken,) = error.original_error.errors  # type: ignore[union-attr]
    assert (broken.path, broken.rule) == ((path,), rule)
    assert path in broken.message


async def test_cursor_of_one_list_is_refused_by_another(wallets: Wallets, member_id: UUID) -> None:
    grants = await walker(wallets, member_id, "grants").page(first=1)
    other = walker(wallets, member_id, "notifications")
    variables = other.variables | {"after": grants["pageInfo"]["endCursor"]}
    _, errors = await wallets.run(other.query, variables, wallets.caller)
    assert [error.message for error in errors] == [
        "after must be a cursor that this list handed out."
    ]


async def test_pages_within_pages_are_bounded_together(wallets: Wallets) -> None:
    members = await wallets.add_members(100)
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    for member_id in members[:2]:
        await wallets.grant(member_id, reward, 100)
    deep = "grants(first: 100) { edges { node { member { %s id } } } }"
    query = "{ members(first: 100) { edges { node { %s } } } }" % (deep % (deep % ""))
    _, errors = await wallets.run(query, None, wallets.caller)
    assert "10000 rows" in errors[0].message
