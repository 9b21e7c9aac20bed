"""Who reads a coupon code: its member, partners with the scope `codes`, and the call that issued it; and no dry run."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from gateway.access import PARTNER_SCOPES, Caller, Scope
from gateway.ids import IdKind, encode_id
from gateway.rewards.model import Reward
from gateway.rewards.types.non_unique_coupon import DiscountType, NonUniqueCouponDraft
from gateway.rewards.types.unique_coupon import UniqueCouponConfiguration
from gateway.storage.database import Database
from tests.wallets import Wallets, open_wallets

CODES = ["SUMMER-2026-0001", "SUMMER-2026-0002", "SUMMER-2026-0003"]
SHARED = "WELCOME-EVERYBODY"
BENEFITS = "benefits { ... on CouponCode { shown: code } }"
GRANT = """mutation ($key: String!, $member: ID!, $reward: ID!, $dry: Boolean) {
    answer: grantReward(input: {clientReference: $key, member: {id: $member}, reward: {rewardId: $reward}, dryRun: $dry}) {
        ... on GrantRewardPayload { status { code } idempotentReplay grant { BENEFITS } } ... on Error { code message } } }""".replace(
    "BENEFITS", BENEFITS
)
ISSUE = """mutation ($key: String!, $member: ID!, $reward: ID!, $dry: Boolean) {
    answer: issueRewards(input: {requestId: $key, member: {id: $member}, rewards: [{rewardId: $reward}], dryRun: $dry}) {
        ... on IssueRewardsPayload { results { status { code } grant { BENEFITS } } } ... on Error { code message } } }""".replace(
    "BENEFITS", BENEFITS
)
LIST = f"{{ grants {{ edges {{ node {{ {BENEFITS} reward {{ ... on NonUniqueCouponReward {{ shown: code }} }} }} }} }} }}"
OWN = f"{{ me {{ grants {{ edges {{ node {{ {BENEFITS} reward {{ ... on NonUniqueCouponReward {{ shown: code }} }} }} }} }} }} }}"
CATALOG = "{ rewards { edges { node { ... on NonUniqueCouponReward { shown: code } } } } }"


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


def with_scopes(wallets: Wallets, *scopes: Scope) -> Caller:
    return replace(wallets.caller, scopes=frozenset(scopes))


async def open_coupons(wallets: Wallets) -> tuple[Reward, Reward]:
    pool = await wallets.shop.create_pool(*CODES)
    unique = await wallets.shop.create_reward(UniqueCouponConfiguration(pool))
    draft = NonUniqueCouponDraft(SHARED, DiscountType.PERCENTAGE, Decimal(5))
    return unique, await wallets.shop.create_reward(draft)


async def ask(
    wallets: Wallets,
    mutation: str,
    key: str,
    member_id: UUID,
    reward: Reward,
    caller: Caller,
    *,
    dry: bool = False,
) -> list[str]:
    """Return the codes in the answer of a mutation."""
    variables = {
        "key": key,
        "member": encode_id(IdKind.MEMBER, member_id),
        "reward": encode_id(IdKind.REWARD, reward.id),
        "dry": dry,
    }
    answer = (await wallets.read(mutation, variables, caller))["answer"]
    return find_codes(answer)


def find_codes(answer: Any) -> list[str]:
    """Return the codes shown anywhere in an answer, in order."""
    if isinstance(answer, list):
        return [code for item in answer for code in find_codes(item)]
    if not isinstance(answer, dict):
        return []
    shown = answer.get("shown")
    return [shown] if shown else [code for part in answer.values() for code in find_codes(part)]


@pytest.mark.parametrize("mutation", [GRANT, ISSUE])
async def test_call_that_issues_a_code_is_answered_with_it_and_so_is_its_replay(
    wallets: Wallets, mutation: str
):
    (member_id,) = await wallets.add_members()
    caller = with_scopes(wallets, Scope.GRANT, Scope.ISSUE)
    for key, reward, code in zip(
        "ab", await open_coupons(wallets), (CODES[0], SHARED), strict=True
    ):
        for _ in range(2):
            assert await ask(wallets, mutation, key, member_id, reward, caller) == [code]


@pytest.mark.parametrize("mutation", [GRANT, ISSUE])
async def test_code_that_another_call_issued_is_masked(wallets: Wallets, mutation: str):
    (member_id,) = await wallets.add_members()
    unique, _ = await open_coupons(wallets)
    narrow = with_scopes(wallets, Scope.GRANT, Scope.ISSUE)
    await ask(wallets, mutation, "a", member_id, unique, narrow)
    assert await ask(wallets, mutation, "b", member_id, unique, narrow) == ["••••0001"]
    assert await ask(wallets, mutation, "c", member_id, unique, wallets.caller) == [CODES[0]]


@pytest.mark.parametrize("mutation", [GRANT, ISSUE])
async def test_dry_run_shows_nothing_of_a_code_that_is_free(wallets: Wallets, mutation: str):
    (member_id,) = await wallets.add_members()
    for reward in await open_coupons(wallets):
        assert await ask(wallets, mutation, "a", member_id, reward, wallets.caller, dry=True) == [
            "••••"
        ]


async def test_lists_mask_codes_for_partners_without_the_scope(wallets: Wallets):
    member_id, other_id = await wallets.add_members(2)
    for reward in await open_coupons(wallets):
        await wallets.grant(member_id, reward)
    reader = with_scopes(wallets, Scope.READ)
    masked = ["••••BODY", "••••BODY", "••••0001"]
    assert find_codes(await wallets.read(LIST, caller=reader)) == masked
    everything = with_scopes(wallets, Scope.READ, Scope.CODES)
    assert find_codes(await wallets.read(LIST, caller=everything)) == [SHARED, SHARED, CODES[0]]
    most = replace(wallets.caller, scopes=PARTNER_SCOPES - {Scope.CODES})
    assert find_codes(await wallets.read(LIST, caller=most)) == masked
    assert find_codes(await wallets.read(CATALOG, caller=most)) == ["••••BODY"]
    assert find_codes(await wallets.read(CATALOG, caller=everything)) == [SHARED]
    own = await wallets.read(OWN, caller=wallets.as_member(member_id))
    # A member has the code of what they were granted, and none from the catalog.
    assert find_codes(own) == [SHARED, CODES[0]]
    assert find_codes(await wallets.read(OWN, caller=wallets.as_member(other_id))) == []


@pytest.mark.parametrize(
    "move",
    [
        "UPDATE grants SET benefits = jsonb_set(benefits, '{0,sealed_code}', "
        "(SELECT benefits #> '{0,sealed_code}' FROM grants WHERE id = $2)) WHERE id = $1",
        "UPDATE grants SET benefits = jsonb_set(benefits, '{0,sealed_code}', "
        "(SELECT configuration -> 'sealed_code' FROM reward_versions WHERE reward_id = $2)) WHERE id = $1",
    ],
)
async def test_sealed_code_that_was_moved_to_another_row_does_not_open(
    wallets: Wallets, owner: asyncpg.Connection[asyncpg.Record], move: str
):
    member_id, thief_id = await wallets.add_members(2)
    unique, shared = await open_coupons(wallets)
    (victims,) = await wallets.grant(member_id, unique)
    (thiefs,) = await wallets.grant(thief_id, unique)
    source = victims.id if "FROM grants" in move else shared.id
    await owner.execute(move, thiefs.id, source)
    data, errors = await wallets.run(OWN, None, wallets.as_member(thief_id))
    assert errors
    assert CODES[0] not in str(data)
    assert SHARED not in str(data)
