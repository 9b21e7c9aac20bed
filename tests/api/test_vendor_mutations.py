"""Vendors through GraphQL: payloads, lists, broken rules by path, and who may see what."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from gateway.access import Caller, Scope
from gateway.errors import Forbidden, Unauthenticated
from gateway.ids import new_id
from gateway.purchasing.purchaser import Purchaser
from gateway.storage.database import Database
from resolvers.context import Context
from resolvers.schema import build_schema
from tests.toy_operations import InterpretedSchema
from tests.vendor_shop import NoServer, VendorShop, open_vendor_shop

pytestmark = pytest.mark.requirement("CAP-5")

SCHEMA = build_schema(InterpretedSchema)

ERRORS = """
    ... on Error { code httpStatus path message }
    ... on InvalidInput { fieldErrors { path rule } }
    ... on IdempotencyConflict { differingFields }
"""
VENDOR = """vendor {
    id orgId name endpoint requestTemplate secretHeaderName timeoutSeconds
    responseMapping { voucher validTill offerName seriesId }
}"""
CREATE = f"""mutation ($input: CreateVendorInput!) {{ result: createVendor(input: $input) {{
    __typename ... on CreateVendorPayload {{ idempotentReplay {VENDOR} }} {ERRORS} }} }}"""
UPDATE = f"""mutation ($input: UpdateVendorInput!) {{ result: updateVendor(input: $input) {{
    __typename ... on UpdateVendorPayload {{ idempotentReplay {VENDOR} }} {ERRORS} }} }}"""
CREATE_REWARD = f"""mutation ($input: CreateRewardInput!) {{ result: createReward(input: $input) {{
    __typename ... on CreateRewardPayload {{ reward {{ __typename
        ... on VendorVoucherReward {{ offerName seriesId vendor {{ id name }} }} }} }} {ERRORS} }} }}"""
LIST = """query ($first: Int) { result: vendors(first: $first) {
    totalCount pageInfo { hasNextPage } edges { node { id name } } } }"""
NODE = """query ($id: ID!) { result: node(id: $id) { __typename id ... on Vendor { name } } }"""
ISSUE = """mutation ($input: IssueRewardsInput!) { result: issueRewards(input: $input) {
    ... on IssueRewardsPayload { idempotentReplay status { success code message } results {
        status { success code } quantity transactionId pointsReferenceIds payment { pointsRedeemed }
        grant { id status benefits { __typename } } } } } }"""
GRANT = """query ($id: ID!) { result: node(id: $id) { ... on Grant { status
    benefits { ... on VendorVoucher { voucher validTill offerName seriesId quantity pointsRedeemed } }
    reward { ... on VendorVoucherReward { offerName vendor { name } } } } } }"""
HIDDEN = """query ($id: ID!) { result: node(id: $id) { ... on Grant {
    reward { ... on VendorVoucherReward { vendor { FIELD } } } } } }"""
OPERATION = """query ($key: String!, $kind: OperationKind!) {
    result: operation(kind: $kind, key: $key) { found isComplete safeToRetry advice } }"""

GIVEN: dict[str, Any] = {
    "name": "Cinema tickets",
    "endpoint": "https://tickets.example.com/orders",
    "requestTemplate": {"order": "{orderId}", "count": "{quantity}"},
    "responseMapping": {"voucher": "tickets[0].code", "validTill": "tickets[0].till"},
    "secretHeader": {"name": "Authorization", "value": "Bearer s3cret"},
    "timeoutSeconds": 7,
}


@pytest.fixture
async def shop(database: Database) -> VendorShop:
    return await open_vendor_shop(database, NoServer())


@pytest.fixture
async def purchaser(shop: VendorShop) -> AsyncIterator[Purchaser]:
    purchaser = shop.open_purchaser()
    yield purchaser
    await purchaser.close()


class Client:
    """Runs operations as one caller."""

    def __init__(self, shop: VendorShop, purchaser: Purchaser, caller: Caller | None) -> None:
        self.shop = shop
        self.purchaser = purchaser
        self.caller = caller

    async def run(self, document: str, **variables: Any) -> Any:
        context = Context(self.shop.database, self.caller, "request", purchaser=self.purchaser)
        result = await SCHEMA.execute(document, variables, context_value=context)
        if result.errors:
            raise result.errors[0].original_error or result.errors[0]
        assert result.data is not None
        return result.data["result"]


@pytest.fixture
def client(shop: VendorShop, purchaser: Purchaser) -> Client:
    return Client(shop, purchaser, shop.caller)


async def test_vendor_is_created_replayed_and_read_without_its_secret(client: Client) -> None:
    created = await client.run(CREATE, input=GIVEN | {"requestId": "1"})
    shown = {name: value for name, value in GIVEN.items() if name != "secretHeader"}
    mapping = GIVEN["responseMapping"] | {"offerName": None, "seriesId": None}
    vendor = created["vendor"]
    assert vendor == shown | {
        "id": vendor["id"],
        "orgId": f"org_{client.shop.caller.organization_id}",
        "responseMapping": mapping,
        "secretHeaderName": "Authorization",
    }
    again = await client.run(CREATE, input=GIVEN | {"requestId": "1"})
    assert again == created | {"idempotentReplay": True}
    changed = GIVEN | {"requestId": "1", "timeoutSeconds": 8}
    conflict = await client.run(CREATE, input=changed)
    assert conflict["differingFields"] == ["timeoutSeconds"]
    node = await client.run(NODE, id=vendor["id"])
    assert node == {"__typename": "Vendor", "id": vendor["id"], "name": "Cinema tickets"}
    assert "s3cret" not in str([created, again, conflict, node])


async def test_every_broken_rule_is_listed_by_path(client: Client) -> None:
    broken = {
        "requestId": "",
        "name": " ",
        "endpoint": "https://169.254.169.254/",
        "requestTemplate": {"order": "{nobody}"},
        "responseMapping": {"voucher": "a[*]", "seriesId": ""},
        "secretHeader": {"name": "Content-Length", "value": "é"},
        "timeoutSeconds": 2**31 - 1,
    }
    refused = await client.run(CREATE, input=broken)
    assert [(".".join(error["path"]), error["rule"]) for error in refused["fieldErrors"]] == [
        ("input.requestId", "required"),
        ("input.name", "required"),
        ("input.endpoint", "address"),
        ("input.requestTemplate", "placeholder"),
        ("input.requestTemplate", "order_id"),
        ("input.responseMapping.voucher", "path"),
        ("input.responseMapping.seriesId", "path"),
        ("input.secretHeader.name", "header"),
        ("input.secretHeader.value", "header"),
        ("input.timeoutSeconds", "range"),
    ]
    assert len(await client.shop.database.fetch("SELECT FROM vendors")) == 1


async def test_vendor_is_changed_field_by_field(client: Client) -> None:
    vendor = (await client.run(CREATE, input=GIVEN | {"requestId": "1"}))["vendor"]
    changes: list[dict[str, Any]] = [
        {"name": "Concert tickets"},
        {"endpoint": "https://tickets.example.com/v2"},
        {"requestTemplate": {"id": "{orderId}", "n": "{quantity}"}},
        {"timeoutSeconds": 30},
    ]
    for number, change in enumerate(changes):
        given = {"requestId": f"u-{number}", "id": vendor["id"], **change}
        vendor |= change
        assert (await client.run(UPDATE, input=given))["vendor"] == vendor
    given = {"requestId": "m", "id": vendor["id"], "responseMapping": {"voucher": "code"}}
    assert (await client.run(UPDATE, input=given))["vendor"]["responseMapping"] == {
        "voucher": "code",
        "validTill": None,
        "offerName": None,
        "seriesId": None,
    }
    given = {"requestId": "s", "id": vendor["id"], "secretHeader": {"name": "X-Key", "value": "2"}}
    assert (await client.run(UPDATE, input=given))["vendor"]["secretHeaderName"] == "X-Key"
    given = {"requestId": "n", "id": vendor["id"], "secretHeader": None}
    removed = await client.run(UPDATE, input=given)
    assert removed["vendor"]["secretHeaderName"] is None
    assert (await client.run(UPDATE, input=given))["idempotentReplay"]


async def test_null_is_for_the_secret_only(client: Client) -> None:
    names = ["name", "endpoint", "requestTemplate", "responseMapping", "timeoutSeconds"]
    given = dict.fromkeys(names) | {"requestId": "1", "id": f"vnd_{client.shop.vendor_id}"}
    refused = await client.run(UPDATE, input=given)
    assert [error["path"][-1] for error in refused["fieldErrors"]] == names
    assert {error["rule"] for error in refused["fieldErrors"]} == {"required"}


@pytest.mark.requirement("MON-13")
async def test_foreign_and_unknown_vendors_look_the_same(
    shop: VendorShop, purchaser: Purchaser, client: Client
) -> None:
    neighbor = Client(shop, purchaser, shop.shop.neighbor)
    answers = []
    for vendor_id in (f"vnd_{shop.vendor_id}", f"vnd_{new_id()}", "vnd_x", "rew_1", "\ud800"):
        given = {"requestId": "1", "id": vendor_id, "name": "Mine"}
        answers.append(await neighbor.run(UPDATE, input=given))
        assert await neighbor.run(NODE, id=vendor_id) is None
        config = {"vendorVoucher": {"vendorId": vendor_id}}
        reward = {"requestId": "1", "name": "Mine", "config": config}
        refused = await neighbor.run(CREATE_REWARD, input=reward)
        assert refused["fieldErrors"] == [
            {"path": ["input", "config", "vendorVoucher", "vendorId"], "rule": "exists"}
        ]
    assert {answer["code"] for answer in answers} == {"NOT_FOUND"}
    assert (await neighbor.run(LIST))["totalCount"] == 0
    assert (await client.run(LIST))["totalCount"] == 1


async def test_vendors_are_listed_newest_first(client: Client) -> None:
    for number in range(2):
        given = GIVEN | {"requestId": f"{number}", "name": f"Vendor {number}"}
        await client.run(CREATE, input=given)
    listed = await client.run(LIST, first=2)
    assert [edge["node"]["name"] for edge in listed["edges"]] == ["Vendor 1", "Vendor 0"]
    assert (listed["totalCount"], listed["pageInfo"]["hasNextPage"]) == (3, True)


@pytest.mark.requirement("MON-2")
async def test_reward_shows_its_vendor(client: Client) -> None:
    config = {
        "vendorVoucher": {
            "vendorId": f"vnd_{client.shop.vendor_id}",
            "offerName": "Film",
            "seriesId": "1",
        }
    }
    created = await client.run(
        CREATE_REWARD, input={"requestId": "1", "name": "Film", "config": config}
    )
    assert created["reward"] == {
        "__typename": "VendorVoucherReward",
        "offerName": "Film",
        "seriesId": "1",
        "vendor": {"id": f"vnd_{client.shop.vendor_id}", "name": "Vouchers"},
    }


async def test_scope_is_needed(shop: VendorShop, purchaser: Purchaser) -> None:
    reader = replace(shop.caller, scopes=frozenset({Scope.READ}))
    member = replace(shop.caller, scopes=frozenset({Scope.MEMBER}))
    update = {"requestId": "1", "id": f"vnd_{shop.vendor_id}", "name": None}
    for document, given in ((CREATE, GIVEN | {"requestId": "", "name": ""}), (UPDATE, update)):
        with pytest.raises(Forbidden):
            await Client(shop, purchaser, reader).run(document, input=given)
        with pytest.raises(Unauthenticated):
            await Client(shop, purchaser, None).run(document, input=given)
    with pytest.raises(Forbidden):
        await Client(shop, purchaser, member).run(LIST)


@pytest.mark.requirement("CAP-17", "ALL-4")
async def test_pending_item_is_answered_polled_and_settled(
    shop: VendorShop, purchaser: Purchaser, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.issuing.issue_rewards.PATIENCE_SECONDS", 0.1)
    item = {"rewardId": f"rew_{shop.paid_reward_id}", "requestId": "item"}
    given = {"requestId": "1", "member": {"externalId": "customer-1"}, "rewards": [item]}
    pending = await client.run(ISSUE, input=given)
    assert pending["status"] == {
        "success": False,
        "code": "PENDING",
        "message": "Vendors have not answered for some rewards yet; ask again with the same key.",
    }
    (result,) = pending["results"]
    grant = result.pop("grant")
    assert result == {
        "status": {"success": False, "code": "PENDING"},
        "quantity": 0,
        "transactionId": None,
        "pointsReferenceIds": [],
        "payment": None,
    }
    assert (grant["status"], grant["benefits"]) == ("PENDING", [])
    for kind, key in (("ISSUE_REWARDS", "1"), ("ISSUE_REWARDS_ITEM", "item")):
        operation = await client.run(OPERATION, kind=kind, key=key)
        assert (operation["isComplete"], operation["safeToRetry"]) == (False, True)
        assert "vendors have not answered" in operation["advice"]
    await shop.make_due()
    await shop.settle("V-7")
    for kind, key in (("ISSUE_REWARDS", "1"), ("ISSUE_REWARDS_ITEM", "item")):
        assert (await client.run(OPERATION, kind=kind, key=key))["isComplete"]
    settled = await client.run(ISSUE, input=given)
    assert (settled["status"]["code"], settled["idempotentReplay"]) == ("ALL", True)
    assert settled["results"][0]["payment"] == {"pointsRedeemed": "30"}
    assert await client.run(GRANT, id=grant["id"]) == {
        "status": "CLAIMED",
        "benefits": [
            {
                "voucher": "V-7",
                "validTill": None,
                "offerName": "Coffee",
                "seriesId": "S1",
                "quantity": 1,
                "pointsRedeemed": "30",
            }
        ],
        "reward": {"offerName": "Coffee", "vendor": {"name": "Vouchers"}},
    }


async def test_free_voucher_redeemed_no_points(shop: VendorShop, client: Client) -> None:
    outcome = await shop.issue(None, shop.item(paid=False))
    await shop.settle()
    grant = outcome.items[0].grant
    assert grant is not None
    (benefit,) = (await client.run(GRANT, id=f"XT_{grant.id}"))["benefits"]
    assert benefit["pointsRedeemed"] is None


async def test_member_sees_the_voucher_and_not_how_it_is_bought(
    shop: VendorShop, purchaser: Purchaser
) -> None:
    outcome = await shop.issue(None)
    await shop.settle()
    grant = outcome.items[0].grant
    assert grant is not None
    scopes = frozenset({Scope.MEMBER})
    client = Client(shop, purchaser, replace(shop.caller, scopes=scopes, member_id=grant.member_id))
    seen = await client.run(GRANT, id=f"XT_{grant.id}")
    assert seen["reward"] == {"offerName": "Coffee", "vendor": None}
    assert await client.run(NODE, id=f"vnd_{shop.vendor_id}") is None
    for field in ("endpoint", "requestTemplate", "secretHeaderName", "responseMapping { voucher }"):
        hidden = await client.run(HIDDEN.replace("FIELD", field), id=f"XT_{grant.id}")
        assert hidden == {"reward": {"vendor": None}}
