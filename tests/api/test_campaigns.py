"""Campaigns and events through GraphQL: payloads, broken rules by path, and what a dry run explains."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gateway.access import Scope
from gateway.campaigns.store import COUNT_GRANTS, LISTENING
from gateway.ids import IdKind, encode_id, new_id
from gateway.storage.database import Database
from tests.wallets import Wallets, explain, logged_statements, open_wallets

pytestmark = pytest.mark.requirement("MON-12")

CAMPAIGN = """campaign {
  id name status tierMode timeZone startsAt endsAt createdAt updatedAt
  triggers { eventType condition }
  tiers { name condition rewardIds rewards { ... on RewardDefinition { id name } } limits { scope maximum } }
  limits { scope maximum calendar rollingSeconds }
  budget { asset { code } available }
  counts { grants members }
}"""
ERRORS = """... on Error { code message path httpStatus }
  ... on InvalidInput { fieldErrors { path rule message } }"""
EVENT = """eventId occurredAt idempotentReplay member { id } campaigns {
  campaign { id } status { success code message }
  checks { kind passed message left resetsAt }
  tiers { index name checks { kind passed message }
    effects { rewardId status { code } grant { id source campaignId reward { __typename } } } }
}"""


def mutation(name: str, payload: str) -> str:
    kind = name[0].upper() + name[1:]
    return f"""mutation ($input: {kind}Input!) {{ result: {name}(input: $input) {{
        __typename ... on {kind}Payload {{ {payload} }} {ERRORS} }} }}"""


CREATE = mutation("createCampaign", f"{CAMPAIGN} idempotentReplay")
UPDATE = mutation("updateCampaign", f"{CAMPAIGN} idempotentReplay")
FUND = mutation("fundCampaign", f"{CAMPAIGN} available transactionId idempotentReplay")
RECORD = mutation("recordEvent", EVENT)


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def call(wallets: Wallets, document: str, **given: Any) -> Any:
    return (await wallets.read(document, {"input": given}))["result"]


async def create(wallets: Wallets, **given: Any) -> Any:
    """Create a campaign over a new reward of ten points."""
    reward = await wallets.shop.create_reward()
    defaults = {
        "requestId": str(new_id()),
        "name": "Spring",
        "triggers": [{"eventType": "order.completed", "condition": "payload.amount >= 50"}],
        "tiers": [{"rewardIds": [encode_id(IdKind.REWARD, reward.id)]}],
    }
    return await call(wallets, CREATE, **defaults | given)


def event(member_id: Any, **given: Any) -> dict[str, Any]:
    defaults = {
        "eventId": str(new_id()),
        "eventType": "order.completed",
        "member": {"id": encode_id(IdKind.MEMBER, member_id)},
        "payload": {"amount": 60},
    }
    return defaults | given


async def test_campaign_runs_from_creation_to_its_counts(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    made = await create(
        wallets,
        limits=[
            {"scope": "MEMBER", "maximum": 1, "window": {"calendar": "DAY"}},
            {"scope": "TOTAL", "maximum": 9, "window": {"rollingSeconds": 60}},
            {"scope": "TOTAL", "maximum": 99},
        ],
        timeZone="Europe/Oslo",
        budgetAssetId=str(wallets.caller.standard_assets.points_id),
    )
    campaign = made["campaign"]
    assert campaign["limits"] == [
        {"scope": "MEMBER", "maximum": 1, "calendar": "DAY", "rollingSeconds": None},
        {"scope": "TOTAL", "maximum": 9, "calendar": None, "rollingSeconds": 60},
        {"scope": "TOTAL", "maximum": 99, "calendar": None, "rollingSeconds": None},
    ]
    assert campaign["budget"] == {"asset": {"code": "PTS"}, "available": "0"}
    assert campaign["tiers"][0]["rewards"][0]["name"] == "Daily points"
    funded = await call(wallets, FUND, requestId="f-1", campaignId=campaign["id"], amount="25")
    assert (funded["available"], funded["campaign"]["budget"]["available"]) == ("25", "25")
    recorded = await call(wallets, RECORD, **event(member_id, eventId="e-1"))
    (judged,) = recorded["campaigns"]
    assert judged["status"]["code"] == "GRANTED"
    (effect,) = judged["tiers"][0]["effects"]
    assert effect["grant"]["source"] == "CAMPAIGN"
    assert effect["grant"]["campaignId"] == campaign["id"]
    limited = await call(wallets, RECORD, **event(member_id))
    (check, *_) = [c for c in limited["campaigns"][0]["checks"] if c["kind"] == "LIMIT"]
    assert (check["passed"], check["left"]) == (False, "0")
    assert check["resetsAt"] is not None
    query = f"query ($id: ID!) {{ {CAMPAIGN.replace('campaign {', 'campaign(id: $id) {', 1)} }}"
    read = (await wallets.read(query, {"id": campaign["id"]}))["campaign"]
    assert read["counts"] == {"grants": 1, "members": 1}
    assert read["budget"]["available"] == "15"
    totals = await wallets.read("{ grantTotals(groupBy: CAMPAIGN) { key grantCount } }")
    assert totals["grantTotals"] == [{"key": campaign["id"], "grantCount": 1}]


async def test_every_broken_rule_is_listed_by_path(wallets: Wallets) -> None:
    made = await create(
        wallets,
        name=" ",
        timeZone="Nowhere",
        triggers=[{"eventType": "a b", "condition": "payload.amount >="}],
        tiers=[{"rewardIds": ["rew_x"], "limits": [{"scope": "MEMBER", "maximum": 0}]}],
    )
    assert made["__typename"] == "InvalidInput"
    assert [(".".join(e["path"]), e["rule"]) for e in made["fieldErrors"]] == [
        ("input.name", "required"),
        ("input.timeZone", "time zone"),
        ("input.triggers.0.eventType", "pattern"),
        ("input.triggers.0.condition", "syntax"),
        ("input.tiers.0.limits.0.maximum", "range"),
    ]
    assert "line 1, column 18" in made["fieldErrors"][3]["message"]


async def test_ids_that_name_nothing_are_told(wallets: Wallets) -> None:
    for reward_id in ("rew_x", encode_id(IdKind.REWARD, new_id()), "", "a\x00"):
        made = await create(wallets, tiers=[{"rewardIds": [reward_id]}])
        assert made["fieldErrors"][0]["path"] == ["input", "tiers", "0", "rewardIds", "0"]
    made = await create(wallets, budgetAssetId="x")
    assert made["fieldErrors"][0]["rule"] == "exists"
    for campaign_id in ("camp_x", encode_id(IdKind.CAMPAIGN, new_id())):
        changed = await call(wallets, UPDATE, requestId="u-1", id=campaign_id, name="Mine")
        assert (changed["__typename"], changed["path"]) == ("NotFound", ["input", "id"])
        funded = await call(wallets, FUND, requestId="f-1", campaignId=campaign_id, amount=1)
        assert (funded["__typename"], funded["path"]) == ("NotFound", ["input", "campaignId"])


async def test_event_input_is_judged_whole(wallets: Wallets) -> None:
    bad = event(new_id(), eventId=" ", eventType="", member={"email": "nobody"})
    answer = await call(wallets, RECORD, **bad)
    assert [error["path"][1] for error in answer["fieldErrors"]] == [
        "member",
        "eventId",
        "eventType",
    ]
    unknown = await call(wallets, RECORD, **event(new_id()))
    assert (unknown["__typename"], unknown["path"]) == ("NotFound", ["input", "member"])


async def test_update_tells_null_from_left_out(wallets: Wallets) -> None:
    made = await create(wallets, startsAt="2026-01-01T00:00:00Z", endsAt="2099-01-01T00:00:00Z")
    change = {"requestId": "u-1", "id": made["campaign"]["id"]}
    changed = await call(wallets, UPDATE, **change, startsAt=None, status="INACTIVE")
    assert changed["campaign"]["startsAt"] is None
    assert changed["campaign"]["endsAt"] == "2099-01-01T00:00:00Z"
    assert changed["campaign"]["status"] == "INACTIVE"
    again = await call(wallets, UPDATE, **change, startsAt=None, status="INACTIVE")
    assert again["idempotentReplay"] is True
    broken = await call(wallets, UPDATE, requestId="u-2", id=change["id"], name=None)
    assert broken["fieldErrors"][0]["path"] == ["input", "name"]


@pytest.mark.requirement("ALL-4")
async def test_dry_run_explains_over_graphql(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    await create(wallets, budgetAssetId=str(wallets.caller.standard_assets.points_id))
    dry = await call(wallets, RECORD, **event(member_id, dryRun=True))
    (judged,) = dry["campaigns"]
    assert judged["status"]["code"] == "BUDGET_EXHAUSTED"
    assert judged["checks"][-1] == {
        "kind": "BUDGET",
        "passed": False,
        "message": "The budget has 0 PTS left.",
        "left": "0",
        "resetsAt": None,
    }


@pytest.mark.requirement("MON-13")
async def test_campaigns_are_seen_by_their_organization_alone(wallets: Wallets) -> None:
    made = [await create(wallets) for _ in range(3)]
    ids = [answer["campaign"]["id"] for answer in made]
    document = """query ($id: ID!) { campaign(id: $id) { id } node(id: $id) { id }
        campaigns(first: 2) { totalCount edges { node { id budget { available } counts { grants } } }
            pageInfo { hasNextPage } }
        off: campaigns(status: [INACTIVE]) { totalCount } }"""
    with logged_statements(wallets.database) as statements:
        own = await wallets.read(document, {"id": ids[0]})
    # The campaign, which is the node too; two pages and their totals; the grants of the first page.
    assert len(statements) == 6
    assert own["campaign"] == own["node"] == {"id": ids[0]}
    edges = own["campaigns"]["edges"]
    assert [edge["node"]["id"] for edge in edges] == [ids[2], ids[1]]
    assert own["campaigns"]["totalCount"] == 3
    assert own["off"]["totalCount"] == 0
    theirs = await wallets.read(document, {"id": ids[0]}, wallets.shop.neighbor)
    assert theirs["campaign"] is theirs["node"] is None
    assert theirs["campaigns"]["edges"] == []
    caller = replace(wallets.caller, scopes=frozenset({Scope.GRANT}))
    _, errors = await wallets.run("{ campaigns { totalCount } }", None, caller)
    assert "scope" in errors[0].message


async def test_grants_of_a_campaign_are_found_by_index(wallets: Wallets) -> None:
    plan = await explain(wallets.database, COUNT_GRANTS)
    assert "grants_by_campaign" in plan
    plan = await explain(wallets.database, LISTENING)
    assert "campaigns_active" in plan
