"""What an issuance can depend on, through GraphQL: declared, used, shown, and refused by path (CAP-6, CAP-10..16)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from gateway.access import Caller, Scope
from gateway.errors import Forbidden
from gateway.ids import IdKind, encode_id, new_id
from resolvers.context import Context
from resolvers.schema import build_schema
from tests.catalog import Shop, open_shop
from tests.issuing_cases import add_child, mug, reaching
from tests.toy_operations import InterpretedSchema
from tests.use_cases import add_member, add_members, as_member, costing, give_points, snapshot
from tests.wallets import logged_statements

SCHEMA = build_schema(InterpretedSchema)
ERRORS = """
    ... on Error { code httpStatus path message }
    ... on InvalidInput { fieldErrors { path rule } }
"""
SHORTFALLS = "} ... on InsufficientBalance { shortfalls { required available missing }"


def mutation(name: str, payload: str) -> str:
    """Return a document that calls one mutation, with its answer under `result`."""
    kind = name[0].upper() + name[1:]
    return f"""mutation ($input: {kind}Input!) {{ result: {name}(input: $input) {{
        __typename ... on {kind}Payload {{ idempotentReplay {payload} }} {ERRORS} }} }}"""


GROUP = "group { id name externalId primaryMember { id } members { edges { node { id } } } balances { available } }"
CREATE_GROUP = mutation("createGroup", GROUP)
SET_GROUP_MEMBERS = mutation("setGroupMembers", f"addedCount removedCount {GROUP}")
FUND = mutation(
    "fundGroup", f"transactionId member {{ balances {{ available }} }} {GROUP} {SHORTFALLS}"
)
CREATE_SEGMENT = mutation("createSegment", "segment { id name createdAt }")
SET_SEGMENT = mutation(
    "setSegmentMembers",
    "addedCount removedCount segment { members { totalCount edges { node { id } } } }",
)
SET_CARDS = mutation("setMemberCards", "member { cards { number status } }")
SET_LABELS = mutation("setMemberLabels", "member { labels { name status } }")
DEFINE_FIELD = mutation("defineCustomField", "customField { name type required choices }")
DEFINE_STAGE = mutation("defineFulfillmentStage", "stage { name position }")
STEPS = "fulfillment { stage updatedAt history { stage at note } }"
UPDATE = mutation("updateFulfillment", f"grant {{ id {STEPS} }}")
CREATE_TILL = mutation("createTill", "till { id orgId name createdAt }")
REQUEST_CODE = mutation("requestValidationCode", "validationCode expiresAt")
ISSUE = mutation(
    "issueRewards",
    f"""groupRedemption status {{ code }} results {{
        status {{ code message }} orgId notes params groupRedemption
        payment {{ paymentMode id conversionRatio assetId asset {{ code }} pointsRedeemed totalRedemptionValue
            cashAssetId cashAmount cashReference }}
        grant {{ id orgId {STEPS}
            customFields {{ name type string integer decimal boolean date choice }} }} }}""",
)


async def read(shop: Shop, document: str, caller: Caller | None = None, **variables: Any) -> Any:
    """Run a document and return its data."""
    context = Context(shop.database, caller or shop.caller, "test")
    result = await SCHEMA.execute(document, variables, context_value=context)
    if result.errors:
        raise result.errors[0].original_error or result.errors[0]
    return result.data


async def run(shop: Shop, document: str, caller: Caller | None = None, **given: Any) -> Any:
    """Run a mutation under a new key and return its answer."""
    given = {"requestId": str(new_id()), **given}
    return (await read(shop, document, caller, input=given))["result"]


def member(member_id: UUID) -> dict[str, str]:
    return {"id": encode_id(IdKind.MEMBER, member_id)}


def org(shop: Shop) -> str:
    return encode_id(IdKind.ORGANIZATION, shop.caller.organization_id)


def reward(made: Any, **fields: Any) -> dict[str, Any]:
    return {"rewardId": encode_id(IdKind.REWARD, made.id), **fields}


@pytest.mark.requirement("CAP-12")
async def test_group_is_made_funded_and_redeems(shop: Shop) -> None:
    ann, bob = await add_members(shop, 2)
    await give_points(shop, ann, 50)
    made = await run(
        shop,
        CREATE_GROUP,
        primaryMember=member(ann),
        members=[member(bob)],
        externalId="family-1",
        name="Family",
    )
    group = made["group"]
    assert group == {
        "id": group["id"],
        "name": "Family",
        "externalId": "family-1",
        "primaryMember": member(ann),
        "members": {"edges": [{"node": member(one)} for one in sorted((ann, bob), reverse=True)]},
        "balances": [],
    }
    points_id = str(shop.caller.standard_assets.points_id)
    funded = await run(
        shop,
        FUND,
        group={"id": group["id"]},
        member=member(ann),
        assetId=points_id,
        amount="30",
    )
    assert funded["group"]["balances"] == [{"available": "30"}]
    assert funded["member"]["balances"] == [{"available": "20"}]
    thing = await mug(shop, payment_configs=costing(shop, 12))
    issued = await run(
        shop,
        ISSUE,
        member=member(bob),
        group={"primaryMember": member(ann)},
        rewards=[reward(thing)],
    )
    assert (issued["groupRedemption"], issued["results"][0]["groupRedemption"]) == (True, True)
    found = await read(
        shop,
        "query ($by: GroupRef!) { group(by: $by) { id balances { available } } }",
        by={"externalId": "family-1"},
    )
    assert found["group"] == {"id": group["id"], "balances": [{"available": "18"}]}
    changed = await run(
        shop, SET_GROUP_MEMBERS, groupId=group["id"], change="REMOVE", memberIds=[member(bob)["id"]]
    )
    assert (changed["addedCount"], changed["removedCount"]) == (0, 1)
    assert changed["group"]["members"]["edges"] == [{"node": member(ann)}]
    short = await run(
        shop, FUND, group={"id": group["id"]}, member=member(ann), assetId=points_id, amount="21"
    )
    assert (short["__typename"], short["path"]) == ("InsufficientBalance", ["input", "amount"])
    assert short["shortfalls"] == [{"required": "21", "available": "20", "missing": "1"}]


@pytest.mark.requirement("CAP-12", "MON-13")
async def test_group_is_seen_by_its_members_and_partners_only(shop: Shop) -> None:
    ann, stranger = await add_members(shop, 2)
    made = await run(shop, CREATE_GROUP, primaryMember=member(ann))
    by = {"id": made["group"]["id"]}
    document = "query ($by: GroupRef!) { group(by: $by) { id balances { available } } }"
    for caller, expected in (
        (shop.caller, by["id"]),
        (as_member(shop, ann), by["id"]),
        (as_member(shop, stranger), None),
        ((await open_shop(shop.database)).caller, None),
    ):
        found = (await read(shop, document, caller, by=by))["group"]
        assert (found and found["id"]) == expected
    members = "query ($by: GroupRef!) { group(by: $by) { members { edges { node { id } } } } }"
    assert await read(shop, members, as_member(shop, ann), by=by) == {"group": {"members": None}}
    own = await read(shop, "{ me { groups { id } } }", as_member(shop, ann))
    assert own["me"]["groups"] == [by]
    nobody = await read(shop, document, by={"externalId": "nobody"})
    assert nobody["group"] is None
    with pytest.raises(Exception, match="NUL"):
        await read(shop, document, by={"externalId": "\x00"})


@pytest.mark.requirement("CAP-10")
async def test_reward_is_reserved_for_a_segment(shop: Shop) -> None:
    inside, outside = await add_members(shop, 2)
    made = await run(shop, CREATE_SEGMENT, name="Gold")
    segment_id = made["segment"]["id"]
    changed = await run(shop, SET_SEGMENT, segmentId=segment_id, memberIds=[member(inside)["id"]])
    assert changed["segment"]["members"] == {
        "totalCount": 1,
        "edges": [{"node": member(inside)}],
    }
    create = mutation("createReward", "reward { ... on RewardDefinition { id segments { name } } }")
    points = {"points": {"amount": 5}}
    reserved = await run(shop, create, name="Bonus", config=points, segmentIds=[segment_id])
    assert reserved["reward"]["segments"] == [{"name": "Gold"}]
    wanted = [{"rewardId": reserved["reward"]["id"]}]
    for who, code in ((inside, "GRANTED"), (outside, "NOT_IN_SEGMENT")):
        issued = await run(shop, ISSUE, member=member(who), rewards=wanted)
        assert issued["results"][0]["status"]["code"] == code
    update = mutation("updateReward", "reward { ... on RewardDefinition { segments { name } } }")
    opened = await run(shop, update, id=reserved["reward"]["id"], segmentIds=[])
    assert opened["reward"]["segments"] == []
    for ids in ([encode_id(IdKind.SEGMENT, new_id())], ["nonsense"]):
        refused = await run(shop, create, name="Bonus", config=points, segmentIds=ids)
        assert refused["fieldErrors"] == [{"path": ["input", "segmentIds", "0"], "rule": "exists"}]
    listed = await read(shop, "{ segments { totalCount edges { node { id name } } } }")
    assert listed["segments"] == {
        "totalCount": 1,
        "edges": [{"node": {"id": segment_id, "name": "Gold"}}],
    }
    document = "query ($id: ID!) { member(by: { id: $id }) { segments { name } } }"
    found = await read(shop, document, id=member(inside)["id"])
    assert found["member"]["segments"] == [{"name": "Gold"}]


@pytest.mark.requirement("CAP-10", "ALL-3")
async def test_lists_of_members_take_as_many_statements_for_ten_as_for_one(shop: Shop) -> None:
    members = await add_members(shop, 10)
    made = await run(shop, CREATE_SEGMENT, name="Gold")
    ids = [member(one)["id"] for one in members]
    await run(shop, SET_SEGMENT, segmentId=made["segment"]["id"], memberIds=ids)
    await run(
        shop, CREATE_GROUP, primaryMember=member(members[0]), members=list(map(member, members))
    )
    document = """query ($first: Int!) { members(first: $first) { edges { node {
        cards { number } labels { name } segments { name } groups { name members { edges { node { id } } } } } } } }"""
    counts = []
    for first in (1, 10):
        with logged_statements(shop.database) as statements:
            await read(shop, document, first=first)
        counts.append(len(statements))
    assert counts[0] == counts[1]


@pytest.mark.requirement("CAP-11")
async def test_cards_and_labels_are_set_and_shown(shop: Shop) -> None:
    ann, bob = await add_members(shop, 2)
    cards = [{"number": "1", "status": "INACTIVE"}, {"number": "2"}]
    shown = await run(shop, SET_CARDS, member=member(ann), cards=cards)
    assert shown["member"]["cards"] == [
        {"number": "1", "status": "INACTIVE"},
        {"number": "2", "status": "ACTIVE"},
    ]
    taken = await run(shop, SET_CARDS, member=member(bob), cards=cards)
    assert (taken["__typename"], taken["path"]) == ("Conflict", ["input", "cards", "0", "number"])
    labels = [{"name": "vip", "status": "INACTIVE"}]
    shown = await run(shop, SET_LABELS, member=member(ann), labels=labels)
    assert shown["member"]["labels"] == labels
    issued = await run(
        shop, ISSUE, member=member(ann), rewards=[reward(await shop.create_reward())]
    )
    assert issued["results"][0]["status"]["code"] == "LABEL_INACTIVE"
    broken = await run(shop, SET_CARDS, member={"mobile": "1"}, cards=[])
    assert [error["path"] for error in broken["fieldErrors"]] == [["input", "member", "mobile"]]
    broken = await run(shop, SET_LABELS, member={"mobile": "1"}, labels=[{"name": ""}])
    assert [error["path"] for error in broken["fieldErrors"]] == [
        ["input", "labels", "0", "name"],
        ["input", "member", "mobile"],
    ]


@pytest.mark.requirement("CAP-14")
async def test_custom_fields_are_declared_sent_and_shown(shop: Shop) -> None:
    declared: list[dict[str, Any]] = [
        {"name": "boolean", "type": "BOOLEAN", "required": False, "choices": []},
        {"name": "date", "type": "DATE", "required": False, "choices": []},
        {"name": "decimal", "type": "DECIMAL", "required": False, "choices": []},
        {"name": "integer", "type": "INTEGER", "required": False, "choices": []},
        {"name": "size", "type": "ENUM", "required": True, "choices": ["S", "M"]},
        {"name": "string", "type": "STRING", "required": False, "choices": []},
    ]
    for one in declared:
        given = one if one["choices"] else {**one, "choices": None}
        assert (await run(shop, DEFINE_FIELD, **given))["customField"] == one
    listed = await read(shop, "{ customFields { name type required choices } }")
    assert listed["customFields"] == declared
    values: dict[str, dict[str, Any]] = {
        "size": {"choice": "M"},
        "string": {"string": "red"},
        "integer": {"integer": 0},
        "decimal": {"decimal": "1.50"},
        "boolean": {"boolean": False},
        "date": {"date": "2026-11-23"},
    }
    sent = [{"name": name, "value": value} for name, value in values.items()]
    issued = await run(
        shop,
        ISSUE,
        member=member(await add_member(shop)),
        rewards=[
            reward(await shop.create_reward(), customFields=sent),
            reward(await shop.create_reward(), customFields=sent[1:]),
        ],
    )
    shown = issued["results"][0]["grant"]["customFields"]
    empty = dict.fromkeys(("string", "integer", "decimal", "boolean", "date", "choice"))
    kinds = {one["name"]: one["type"] for one in declared}
    expected = {**values, "decimal": {"decimal": "1.5"}}
    assert shown == [
        {"name": name, "type": kinds[name], **empty, **expected[name]} for name in values
    ]
    assert issued["results"][1]["status"] == {
        "code": "INVALID_CUSTOM_FIELD",
        "message": "The custom field 'size' is required.",
    }
    conflict = await run(shop, DEFINE_FIELD, name="size", type="STRING")
    assert (conflict["__typename"], conflict["httpStatus"]) == ("Conflict", 409)


@pytest.mark.requirement("CAP-15")
async def test_grant_moves_through_stages(shop: Shop) -> None:
    for name, position in (("BOOKED", 1), ("DELIVERED", 2)):
        defined = await run(shop, DEFINE_STAGE, name=name)
        assert defined["stage"] == {"name": name, "position": position}
    issued = await run(
        shop,
        ISSUE,
        member=member(await add_member(shop)),
        rewards=[reward(await shop.create_reward()), reward(await shop.create_reward())],
    )
    first, second = (result["grant"] for result in issued["results"])
    assert first["fulfillment"]["stage"] == "BOOKED"
    moved = await run(shop, UPDATE, grantId=first["id"], stage="DELIVERED", note="at the door")
    history = moved["grant"]["fulfillment"]["history"]
    assert [(step["stage"], step["note"]) for step in history] == [
        ("BOOKED", None),
        ("DELIVERED", "at the door"),
    ]
    assert moved["grant"]["fulfillment"]["updatedAt"] == history[-1]["at"]
    listed = await read(
        shop,
        """query ($stages: [String!]) { fulfillmentStages { name }
        grants(filter: { fulfillmentStage: $stages }) { totalCount edges { node { id } } } }""",
        stages=["BOOKED"],
    )
    assert listed["fulfillmentStages"] == [{"name": "BOOKED"}, {"name": "DELIVERED"}]
    assert listed["grants"] == {"totalCount": 1, "edges": [{"node": {"id": second["id"]}}]}
    lost = await run(shop, UPDATE, grantId=first["id"], stage="LOST")
    assert lost["fieldErrors"] == [{"path": ["input", "stage"], "rule": "exists"}]
    nothing = await run(shop, UPDATE, grantId="nonsense", stage="BOOKED")
    assert (nothing["__typename"], nothing["path"]) == ("NotFound", ["input", "grantId"])


@pytest.mark.requirement("CAP-14", "CAP-15", "CAP-16")
async def test_names_are_the_same_with_blanks_around_and_in_any_form(shop: Shop) -> None:
    """Tills, stages, custom fields and their choices: as declared, and as sent with an item."""
    composed, decomposed = "caf\u00e9", " cafe\u0301\t"
    assert (await run(shop, CREATE_TILL, name=decomposed))["till"]["name"] == composed
    assert (await run(shop, DEFINE_STAGE, name=decomposed))["stage"]["name"] == composed
    declared = await run(shop, DEFINE_FIELD, name=decomposed, type="ENUM", choices=[decomposed])
    assert (declared["customField"]["name"], declared["customField"]["choices"]) == (
        composed,
        [composed],
    )
    ann = await add_member(shop)
    wanted = reward(
        await shop.create_reward(),
        fulfillmentStage=decomposed,
        customFields=[{"name": decomposed, "value": {"choice": decomposed}}],
    )
    sent: dict[str, Any] = {"till": decomposed, "brand": decomposed, "skipValidation": True}
    issued = await run(shop, ISSUE, member=member(ann), rewards=[wanted], **sent)
    assert issued["status"]["code"] == "ALL"
    found = await read(
        shop,
        "query ($s: [String!]) { grants(filter: { fulfillmentStage: $s }) { totalCount } }",
        s=[f" {composed}"],
    )
    assert found["grants"]["totalCount"] == 1


@pytest.mark.requirement("CAP-16")
async def test_till_asks_for_a_code(shop: Shop) -> None:
    made = await run(shop, CREATE_TILL, name="Till 1")
    till = made["till"]
    assert till == {**till, "orgId": org(shop), "name": "Till 1"}
    assert (await read(shop, "{ tills { id name } }"))["tills"] == [
        {"id": till["id"], "name": "Till 1"}
    ]
    ann = await add_member(shop)
    asked = await run(shop, REQUEST_CODE, as_member(shop, ann), tillId=till["id"])
    assert asked["validationCode"]
    wanted: dict[str, Any] = {
        "member": member(ann),
        "rewards": [reward(await shop.create_reward())],
    }
    codes: list[tuple[dict[str, Any], str]] = [
        ({}, "required"),
        ({"validationCode": "0000-0000"}, "exists"),
    ]
    for fields, rule in codes:
        refused = await run(shop, ISSUE, till="Till 1", **wanted, **fields)
        assert refused["fieldErrors"] == [{"path": ["input", "validationCode"], "rule": rule}]
    sent: dict[str, Any] = {"till": "Till 1", "validationCode": asked["validationCode"], **wanted}
    assert (await run(shop, ISSUE, **sent))["status"]["code"] == "ALL"
    used = await run(shop, ISSUE, **sent)
    assert used["fieldErrors"] == [{"path": ["input", "validationCode"], "rule": "used"}]
    narrow = replace(shop.caller, scopes=shop.caller.scopes - {Scope.SKIP_VALIDATION})
    skipping: dict[str, Any] = {"till": "Till 1", "skipValidation": True, **wanted}
    refused = await run(shop, ISSUE, narrow, **skipping)
    assert (refused["__typename"], refused["code"], refused["httpStatus"], refused["path"]) == (
        "Forbidden",
        "FORBIDDEN",
        403,
        ["input", "skipValidation"],
    )
    assert (await run(shop, ISSUE, **skipping))["status"]["code"] == "ALL"


@pytest.mark.requirement("CAP-13")
async def test_rewards_of_connected_organizations(shop: Shop) -> None:
    child = await add_child(shop)
    caller = reaching(shop, child)
    known = await read(shop, "{ organizations { id name parentOrgId isOwn } }", caller)
    assert known["organizations"] == [
        {"id": org(shop), "name": "Acme Oslo", "parentOrgId": None, "isOwn": True},
        {"id": org(child), "name": "Acme Trondheim", "parentOrgId": org(shop), "isOwn": False},
    ]
    theirs = await child.create_reward()
    wanted: dict[str, Any] = {
        "member": member(await add_member(shop)),
        "dataScope": "OTHER",
        "dataScopeOrgIds": [org(child)],
        "orgLevelDetails": [{"orgId": org(child), "notes": "n", "params": {"a": 1}}],
        "rewards": [reward(theirs, orgId=org(child))],
    }
    issued = await run(shop, ISSUE, caller, **wanted)
    (result,) = issued["results"]
    assert (result["orgId"], result["grant"]["orgId"]) == (org(child), org(child))
    assert (result["notes"], result["params"], issued["groupRedemption"]) == ("n", {"a": 1}, False)
    before = await snapshot(shop.database)
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["dataScopeOrgIds", "0"]),
        ({"dataScopeOrgIds": ["org_\ud800"]}, ["dataScopeOrgIds", "0"]),
        ({"dataScopeOrgIds": [org(shop)]}, ["rewards", "0", "orgId"]),
    ]
    for fields, path in cases:
        refused = await run(shop, ISSUE, **wanted | fields)
        assert (refused["__typename"], refused["path"]) == ("Forbidden", ["input", *path])
    beside = await run(shop, CREATE_TILL, name="Till 1", orgId=org(child))
    assert (beside["__typename"], beside["path"]) == ("Forbidden", ["input", "orgId"])
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-6")
async def test_payment_says_all_that_was_agreed(shop: Shop) -> None:
    create_asset = mutation("createAsset", "asset { id }")
    miles = await run(shop, create_asset, code="MILES", name="Miles", kind="POINTS", decimals=1)
    miles_id = miles["asset"]["id"]
    cash_id = str(shop.caller.standard_assets.cash_id)
    create = mutation(
        "createReward", "reward { ... on RewardDefinition { id paymentConfigs { id } } }"
    )
    made = await run(
        shop,
        create,
        name="Bonus",
        config={"points": {"amount": 1}},
        paymentConfigs=[
            {"mode": "CONV_RATIO", "assetId": miles_id, "conversionRatio": "0.4"},
            {
                "mode": "POINTS_CASH",
                "assetId": miles_id,
                "amount": "2.5",
                "cashAssetId": cash_id,
                "cashAmount": "9.90",
            },
        ],
    )
    ann = await add_member(shop)
    distribute = mutation("distributeRewards", "processedCount")
    recipient = {"identifierType": "MEMBER_ID", "identifierValue": member(ann)["id"]}
    line = {"recipient": recipient, "currencyReward": {"currencyId": miles_id, "amount": 100}}
    await run(shop, distribute, rewards=[line])
    ratio_id, both_id = (config["id"] for config in made["reward"]["paymentConfigs"])
    reward_id = made["reward"]["id"]
    issued = await run(
        shop,
        ISSUE,
        member=member(ann),
        rewards=[
            {
                "rewardId": reward_id,
                "quantity": "3.9",
                "paymentConfig": {"id": ratio_id, "redemptionValue": "1.09"},
            },
            {"rewardId": reward_id, "paymentConfig": {"id": both_id, "cashReference": "r-1"}},
            {"rewardId": reward_id, "paymentConfig": {"id": both_id}},
        ],
    )
    # 3 × 1.09 ÷ 0.4 = 8.175, which is 8.2 at one decimal.
    assert [result["payment"] for result in issued["results"]] == [
        {
            "paymentMode": "CONV_RATIO",
            "id": ratio_id,
            "conversionRatio": "0.4",
            "assetId": miles_id,
            "asset": {"code": "MILES"},
            "pointsRedeemed": "8.2",
            "totalRedemptionValue": "3.27",
            "cashAssetId": None,
            "cashAmount": None,
            "cashReference": None,
        },
        {
            "paymentMode": "POINTS_CASH",
            "id": both_id,
            "conversionRatio": None,
            "assetId": miles_id,
            "asset": {"code": "MILES"},
            "pointsRedeemed": "2.5",
            "totalRedemptionValue": "2.5",
            "cashAssetId": cash_id,
            "cashAmount": "9.90",
            "cashReference": "r-1",
        },
        None,
    ]
    assert issued["results"][2]["status"]["code"] == "CASH_REFERENCE_REQUIRED"


@pytest.mark.requirement("OWN-1", "ALL-2")
async def test_scope_is_asked_before_the_input_is_judged(shop: Shop) -> None:
    nobody = replace(shop.caller, scopes=frozenset({Scope.READ}))
    broken = {"id": "mem_nobody"}
    for document, given in (
        (CREATE_GROUP, {"primaryMember": {"mobile": "1"}}),
        (SET_GROUP_MEMBERS, {"groupId": "x", "memberIds": []}),
        (FUND, {"group": {"id": "x"}, "member": broken, "assetId": "x", "amount": 0}),
        (CREATE_SEGMENT, {"name": ""}),
        (SET_SEGMENT, {"segmentId": "x", "memberIds": []}),
        (SET_CARDS, {"member": {"mobile": "1"}, "cards": []}),
        (SET_LABELS, {"member": {"mobile": "1"}, "labels": []}),
        (DEFINE_FIELD, {"name": "", "type": "DATE"}),
        (DEFINE_STAGE, {"name": ""}),
        (UPDATE, {"grantId": "x", "stage": ""}),
        (CREATE_TILL, {"name": ""}),
        (REQUEST_CODE, {"tillId": "x", "member": {"mobile": "1"}}),
    ):
        with pytest.raises(Forbidden):
            await run(shop, document, nobody, **given)


async def test_malformed_references_are_named_by_path(shop: Shop) -> None:
    ann = await add_member(shop)
    bad = {"mobile": "1"}
    points_id = str(shop.caller.standard_assets.points_id)
    for document, given, paths in (
        (
            CREATE_GROUP,
            {"primaryMember": bad, "members": [bad], "externalId": ""},
            ["externalId", "primaryMember.mobile", "members.0.mobile"],
        ),
        (
            FUND,
            {
                "group": {"primaryMember": bad},
                "member": bad,
                "assetId": points_id,
                "amount": 1,
            },
            ["group.primaryMember.mobile", "member.mobile"],
        ),
        (REQUEST_CODE, {"tillId": "x", "member": bad}, ["member.mobile"]),
        (
            ISSUE,
            {
                "member": member(ann),
                "group": {"externalId": "\ud800"},
                "dataScope": "SELF",
                "orgLevelDetails": [{"orgId": org(shop), "group": {"primaryMember": bad}}],
                "rewards": [{"rewardId": "x"}],
            },
            ["orgLevelDetails.0.group.primaryMember.mobile", "group.externalId"],
        ),
    ):
        refused = await run(shop, document, **given)
        assert [".".join(error["path"][1:]) for error in refused["fieldErrors"]] == paths
