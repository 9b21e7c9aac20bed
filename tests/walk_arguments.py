"""What a caller who wants to see everything asks root fields for: ids, names and keys of everything and everybody."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gateway.ids import new_id
from tests.marked_world import Corner, mark

# Of every query: the arguments as a document has them, one text for each time that it is asked.
QueryArguments = Callable[[Corner], list[str]]
MutationInputs = Callable[[Corner], dict[str, Any]]


def _once(_: Corner) -> list[str]:
    return [""]


def _first(_: Corner) -> list[str]:
    return ["(first: 40)"]


def _ids(corner: Corner, *kinds: str) -> list[str]:
    ids = [*corner.ids.values(), *corner.members.values()]
    return [id for id in ids if not kinds or id.startswith(kinds)]


def _of_each(*kinds: str) -> QueryArguments:
    return lambda corner: [f"(id: {json.dumps(id)})" for id in _ids(corner, *kinds)]


def _members(corner: Corner) -> list[str]:
    id, name = _member(corner)["id"], mark(next(iter(corner.members)), "profile-id")
    return [f"(by: {{id: {json.dumps(id)}}})", f"(by: {{externalId: {json.dumps(name)}}})"]


def _groups(corner: Corner) -> list[str]:
    ids = [f"(by: {{id: {json.dumps(id)}}})" for id in _ids(corner, "grp_")]
    name, member_id = json.dumps(mark("tenant1", "group")), json.dumps(_member(corner)["id"])
    by_name = [f"(by: {{externalId: {name}}})", f"(by: {{primaryMember: {{id: {member_id}}}}})"]
    return ids + by_name


def _grants(corner: Corner) -> list[str]:
    of_one = f"(first: 2, filter: {{memberId: {json.dumps(_member(corner)['id'])}}})"
    return ["(first: 20)", of_one]


def _totals(_: Corner) -> list[str]:
    groupings = ("ACTION_CODE", "REWARD", "SOURCE", "DAY", "ASSET", "CAMPAIGN")
    return [f"(groupBy: {grouping})" for grouping in groupings]


def _operations(corner: Corner) -> list[str]:
    kinds = {"grantReward": "GRANT_REWARD", "issueRewards": "ISSUE_REWARDS"}
    return [f"(kind: {kind}, key: {json.dumps(corner.keys[name])})" for name, kind in kinds.items()]


def _assets(_: Corner) -> list[str]:
    return ["(first: 40)", "(first: 40, kinds: [PRODUCT, COMPETITION, POINTS, CURRENCY, CASH])"]


QUERIES: Mapping[str, QueryArguments] = {
    "me": _once,
    "member": _members,
    "members": _first,
    "reward": _of_each("rew_"),
    "rewards": _first,
    "assets": _assets,
    "products": _first,
    "competitions": _first,
    "codePools": _first,
    "campaign": _of_each("camp_"),
    "campaigns": _first,
    "grants": _grants,
    "grantTotals": _totals,
    "group": _groups,
    "segments": _first,
    "organizations": _once,
    "customFields": _once,
    "fulfillmentStages": _once,
    "tills": _once,
    "operation": _operations,
    "node": lambda corner: [f"(id: {json.dumps(id)})" for id in _ids(corner)[:1]],
    "nodes": lambda corner: [f"(ids: {json.dumps(_ids(corner))})"],
    "vendors": _first,
}


def _member(corner: Corner) -> dict[str, str]:
    """Return one member: the first, who is not the one whose token is tried."""
    return {"id": next(iter(corner.members.values()))}


def _name(corner: Corner) -> dict[str, Any]:
    return {"name": f"{corner.mark('new')} {new_id()}"}


def _reward(corner: Corner) -> dict[str, Any]:
    return {"rewardId": corner.ids["points reward"]}


def _amount(corner: Corner) -> dict[str, Any]:
    return {"assetId": str(corner.caller.standard_assets.points_id), "amount": 1}


def _line(corner: Corner) -> dict[str, Any]:
    asset = _amount(corner)
    return {
        "recipient": {"identifierType": "MEMBER_ID", "identifierValue": _member(corner)["id"]},
        "currencyReward": {"currencyId": asset["assetId"], "amount": asset["amount"]},
    }


def _of_first(corner: Corner, what: str) -> str:
    return corner.ids[f"{what} {next(iter(corner.members))}"]


def _owed(corner: Corner) -> list[str]:
    return [id for name, id in corner.ids.items() if name.startswith("owed by")]


def _points(corner: Corner) -> dict[str, Any]:
    return {"points": {"amount": 1}}


def _identifier() -> dict[str, str]:
    return {"identifierType": "EXTERNAL_ID", "identifierValue": f"x-{new_id()}"}


MUTATIONS: Mapping[str, MutationInputs] = {
    "grantReward": lambda at: {"member": _member(at), "reward": _reward(at)},
    "issueRewards": lambda at: {
        "member": _member(at),
        "rewards": [_reward(at)],
        "skipValidation": True,
    },
    "distributeRewards": lambda at: {"requestId": str(new_id()), "rewards": [_line(at)]},
    "claimRewards": lambda at: {"member": _member(at), "grantIds": _owed(at)},
    "reverseGrant": lambda at: {"grantId": _of_first(at, "points of")},
    "reverseOperation": lambda at: {
        "target": {"operation": {"kind": "GRANT_REWARD", "key": at.keys["grantReward"]}}
    },
    "upsertMember": lambda at: {"identifiers": [_identifier()]},
    "linkIdentifier": lambda at: {"member": _member(at), "identifier": _identifier()},
    "createAsset": lambda at: {"code": str(new_id())[-12:], "kind": "POINTS", **_name(at)},
    "setAssetIssuers": lambda at: {"assetId": at.ids["asset"], "issuers": []},
    "createReward": lambda at: {**_name(at), "config": _points(at)},
    "updateReward": lambda at: {"id": at.ids["never reward"], **_name(at)},
    "deleteReward": lambda at: {"id": at.ids["never reward"]},
    "createProduct": _name,
    "restockProduct": lambda at: {"productId": at.ids["product"], "quantity": 1},
    "createCompetition": _name,
    "createCodePool": _name,
    "importCodes": lambda at: {"codePoolId": at.ids["codePool"], "codes": [str(new_id())]},
    "createMemberToken": lambda at: {"member": _member(at)},
    # Members may fence keys of claims, too.
    "fenceOperation": lambda at: {"kind": "CLAIM_REWARDS", "key": at.key("fenced")},
    "markNotificationsRead": lambda at: {"notifications": {"all": True}},
    "reserve": lambda at: {"member": _member(at), **_amount(at), "expiresInSeconds": 60},
    "capture": lambda at: {"holdId": _of_first(at, "hold of")},
    "release": lambda at: {"holdId": _of_first(at, "other hold of")},
    "createGroup": lambda at: {"primaryMember": {"id": list(at.members.values())[-1]}},
    "setGroupMembers": lambda at: {
        "groupId": at.ids.get("group", "grp_"),
        "change": "ADD",
        "memberIds": [_member(at)["id"]],
    },
    "fundGroup": lambda at: {
        "group": {"id": at.ids.get("group", "grp_")},
        "member": _member(at),
        **_amount(at),
    },
    "createSegment": _name,
    "setSegmentMembers": lambda at: {
        "segmentId": at.ids["segment"],
        "change": "ADD",
        "memberIds": [_member(at)["id"]],
    },
    "setMemberCards": lambda at: {
        "member": _member(at),
        "cards": [{"number": mark(next(iter(at.members)), "wallet-card")}],
    },
    "setMemberLabels": lambda at: {
        "member": _member(at),
        "labels": [{"name": mark(f"tenant{at.tenant}", "label")}],
    },
    "defineCustomField": lambda at: {"name": str(new_id()), "type": "STRING"},
    "defineFulfillmentStage": lambda at: {"name": str(new_id())},
    "updateFulfillment": lambda at: {
        "grantId": _of_first(at, "product of"),
        "stage": at.open("stage"),
    },
    "createTill": _name,
    "requestValidationCode": lambda at: {"tillId": at.ids["till"], "member": _member(at)},
    "createCampaign": lambda at: {
        **_name(at),
        "triggers": [{"eventType": at.mark("event")}],
        "tiers": [{"rewardIds": [at.ids["points reward"]]}],
    },
    "updateCampaign": lambda at: {"id": at.ids["campaign"], "status": "ACTIVE"},
    "fundCampaign": lambda at: {"campaignId": at.ids["campaign"], "amount": 1},
    "recordEvent": lambda at: {"eventType": at.mark("event"), "member": _member(at)},
    "createVendor": lambda at: {
        **_name(at),
        "endpoint": "https://vendor.example.com",
        "requestTemplate": {"order": "{orderId}"},
        "responseMapping": {"voucher": "code"},
    },
    "updateVendor": lambda at: {"id": at.ids["vendor"], "timeoutSeconds": 6},
}


def to_input(name: str, corner: Corner) -> dict[str, Any]:
    """Return a valid input of a mutation, about the first member of the corner, under a key that was never used."""
    keys: Mapping[str, Sequence[str]] = {
        "grantReward": ["clientReference"],
        "recordEvent": ["eventId"],
        "fenceOperation": [],
    }
    given = dict.fromkeys(keys.get(name, ["requestId"]), str(new_id()))
    return {**given, **MUTATIONS[name](corner)}
