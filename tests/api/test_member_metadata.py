"""What a member may read beside the partner's own notes: `memberMetadata`, on rewards and on grants."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ids import IdKind, encode_id, new_id
from gateway.storage.database import Database
from tests.wallets import Wallets, open_wallets

NOTES, TEXT = {"note": "suspected fraudster"}, {"title": "Welcome back", "stars": 3}
CREATE = """mutation ($input: CreateRewardInput!) { result: createReward(input: $input) { __typename
    ... on CreateRewardPayload { reward { ... on RewardDefinition { id metadata memberMetadata } } }
    ... on InvalidInput { fieldErrors { path rule } } ... on IdempotencyConflict { differingFields } } }"""
UPDATE = CREATE.replace("CreateReward", "UpdateReward").replace("createReward", "updateReward")
GRANT = """mutation ($input: GrantRewardInput!) { result: grantReward(input: $input) { __typename
    ... on GrantRewardPayload { grant { id metadata memberMetadata } }
    ... on InvalidInput { fieldErrors { path rule } } ... on IdempotencyConflict { differingFields } } }"""
ISSUE = """mutation ($input: IssueRewardsInput!) { result: issueRewards(input: $input) { __typename
    ... on IssueRewardsPayload { results { grant { id memberMetadata } } }
    ... on InvalidInput { fieldErrors { path rule } } ... on IdempotencyConflict { differingFields } } }"""
MINE = """{ me { grants { edges { node { metadata memberMetadata reward { ... on RewardDefinition {
    metadata memberMetadata } } } } } } }"""


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


class Partner:
    """A partner who calls mutations for one member."""

    def __init__(self, wallets: Wallets, member_id: Any) -> None:
        self.wallets = wallets
        self.member_id = member_id

    async def call(self, mutation: str, **fields: Any) -> Any:
        data = await self.wallets.read(mutation, {"input": fields})
        return data["result"]

    async def create(self, **fields: Any) -> Any:
        config = {"points": {"amount": 5}}
        fields = {"requestId": str(new_id()), "name": "Coffee", "config": config, **fields}
        return await self.call(CREATE, **fields)

    async def grant(self, key: str, reward: dict[str, Any], **fields: Any) -> Any:
        member = {"id": encode_id(IdKind.MEMBER, self.member_id)}
        return await self.call(GRANT, clientReference=key, member=member, reward=reward, **fields)

    async def issue(self, key: str, **item: Any) -> Any:
        member = {"id": encode_id(IdKind.MEMBER, self.member_id)}
        return await self.call(ISSUE, requestId=key, member=member, rewards=[item])

    async def seen_by_member(self) -> list[Any]:
        data = await self.wallets.read(MINE, None, self.wallets.as_member(self.member_id))
        return [edge["node"] for edge in data["me"]["grants"]["edges"]]


@pytest.fixture
async def partner(wallets: Wallets) -> Partner:
    (member_id,) = await wallets.add_members()
    return Partner(wallets, member_id)


async def test_member_reads_what_is_for_members_and_no_notes(partner: Partner) -> None:
    made = (await partner.create(metadata=NOTES, memberMetadata=TEXT))["reward"]
    assert (made["metadata"], made["memberMetadata"]) == (NOTES, TEXT)
    own = {"table": 7}
    granted = await partner.grant("1", {"rewardId": made["id"]}, metadata=NOTES, memberMetadata=own)
    assert granted["grant"] == granted["grant"] | {"metadata": NOTES, "memberMetadata": own}
    await partner.issue("2", rewardId=made["id"], memberMetadata={"table": 8})
    plain = await partner.issue("3", rewardId=made["id"])
    assert plain["results"][0]["grant"]["memberMetadata"] == {}
    reward = {"metadata": None, "memberMetadata": TEXT}
    assert await partner.seen_by_member() == [
        {"metadata": None, "memberMetadata": shown, "reward": reward}
        for shown in ({}, {"table": 8}, own)
    ]


async def test_grant_keeps_what_its_reward_told_members_then(partner: Partner) -> None:
    reward_id = (await partner.create(memberMetadata=TEXT))["reward"]["id"]
    await partner.grant("1", {"rewardId": reward_id})
    changed = await partner.call(UPDATE, requestId="2", id=reward_id, memberMetadata={"new": True})
    assert changed["reward"]["memberMetadata"] == {"new": True}
    kept = await partner.call(UPDATE, requestId="3", id=reward_id, name="Tea")
    assert kept["reward"]["memberMetadata"] == {"new": True}
    await partner.grant("4", {"rewardId": reward_id})
    shown = [grant["reward"]["memberMetadata"] for grant in await partner.seen_by_member()]
    assert shown == [{"new": True}, TEXT]


async def test_other_text_for_members_is_another_request(partner: Partner) -> None:
    reward = {
        "rewardId": (await partner.create(requestId="r", memberMetadata=TEXT))["reward"]["id"]
    }
    cash = {"custom": {"amount": "5.00"}}
    for key, given, fields in (("1", reward, {}), ("2", cash, {"actionCode": "signup"})):
        first = await partner.grant(key, given, memberMetadata=TEXT, **fields)
        again = await partner.grant(key, given, memberMetadata=TEXT, **fields)
        other = await partner.grant(key, given, memberMetadata=NOTES, **fields)
        none = await partner.grant(key, given, **fields)
        assert first == again
        assert other["differingFields"] == none["differingFields"] == ["memberMetadata"]
    await partner.issue("3", **reward, memberMetadata=TEXT)
    assert (await partner.issue("3", **reward))["__typename"] == "IdempotencyConflict"
    conflict = await partner.create(requestId="r", memberMetadata=NOTES)
    assert conflict["differingFields"] == ["memberMetadata"]


async def test_too_much_for_members_is_refused(partner: Partner) -> None:
    long = {"text": "x" * 17_000}
    reward_id = (await partner.create())["reward"]["id"]
    update = {"requestId": "1", "id": reward_id}
    for refused, path in (
        (await partner.create(memberMetadata=long), ["memberMetadata"]),
        (await partner.call(UPDATE, **update, memberMetadata=long), ["memberMetadata"]),
        (
            await partner.grant("1", {"rewardId": reward_id}, memberMetadata=long),
            ["memberMetadata"],
        ),
        (
            await partner.issue("2", rewardId=reward_id, memberMetadata=long),
            ["rewards", "0", "memberMetadata"],
        ),
    ):
        assert refused["fieldErrors"] == [{"path": ["input", *path], "rule": "size"}]
    null = await partner.call(UPDATE, **update, memberMetadata=None)
    assert null["fieldErrors"] == [{"path": ["input", "memberMetadata"], "rule": "object"}]
    assert await partner.seen_by_member() == []
