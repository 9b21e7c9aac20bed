"""What is owed to a member becomes theirs once, however often and by whomever it is asked (OWN-9)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from gateway.access import Scope
from gateway.claiming.model import GRANTS_MAX, ClaimOutcome
from gateway.errors import Forbidden, InvalidInput, NotFound
from gateway.grants.filter import GrantFilter
from gateway.grants.list_store import fetch_grant_page
from gateway.grants.record import GrantRecord, GrantStatus
from gateway.grants.status import StatusCode
from gateway.grants.store import fetch_grants
from gateway.ids import new_id
from gateway.ledger.model import OwnerKind
from gateway.operations.model import IdempotencyConflict
from gateway.storage.pages import PageRequest
from tests.catalog import Shop, open_shop
from tests.use_cases import (
    NUL,
    SURROGATE,
    add_member,
    add_members,
    as_member,
    balance,
    cash_of,
    claim,
    count,
    custom,
    fail_first_attempt,
    grant,
    lose_first_commit_reply,
    manual,
    reverse,
    snapshot,
    without,
)
from tests.wallets import facts_of


async def owe(shop: Shop, member_id: UUID, amount: str = "25.00") -> GrantRecord:
    """Grant a member cash to claim."""
    return (await grant(shop, custom(str(new_id()), member_id, amount))).grant


async def balances(shop: Shop, member_id: UUID) -> tuple[int, int]:
    """Return what is owed to a member and what they have, in cents."""
    cash_id = cash_of(shop)
    owed = await balance(shop, member_id, cash_id, OwnerKind.CLAIMABLE)
    return owed, await balance(shop, member_id, cash_id)


def codes(outcome: ClaimOutcome) -> list[StatusCode]:
    return [result.status.code for result in outcome.results]


@pytest.mark.requirement("OWN-9")
async def test_member_sees_the_grant_and_claims_it(shop: Shop) -> None:
    member_id = await add_member(shop)
    owed = await owe(shop, member_id)
    member = as_member(shop, member_id)
    async with shop.database.connection() as connection:
        page = await fetch_grant_page(connection, member, GrantFilter(), PageRequest(10))
    assert list(map(facts_of, page.items)) == [facts_of(owed)]
    assert await balances(shop, member_id) == (2500, 0)
    outcome = await claim(shop, "claim-1", None, owed.id, caller=member)
    assert (codes(outcome), outcome.idempotent_replay) == ([StatusCode.CLAIMED], False)
    assert await balances(shop, member_id) == (0, 2500)
    claimed = outcome.fresh_grants[owed.id]
    assert claimed.status is GrantStatus.CLAIMED
    assert claimed.claimed_at is not None
    assert claimed.claimed_at > owed.rewarded_at
    assert claimed.claim_transaction_id not in {None, owed.transaction_id}
    async with shop.database.connection() as connection:
        stored = await fetch_grants(connection, shop.caller.tenant_id, [owed.id])
    assert stored == outcome.fresh_grants


@pytest.mark.requirement("OWN-9")
async def test_partner_claims_for_the_member(shop: Shop) -> None:
    member_id = await add_member(shop)
    owed = [await owe(shop, member_id, amount) for amount in ("1.00", "2.50", "99.99")]
    outcome = await claim(shop, "claim-1", member_id, *(one.id for one in owed))
    assert codes(outcome) == [StatusCode.CLAIMED] * 3
    assert [result.grant_id for result in outcome.results] == [one.id for one in owed]
    assert await balances(shop, member_id) == (0, 100 + 250 + 9999)
    # Each grant has its own claim, so that each can be reversed by itself.
    claims = {one.claim_transaction_id for one in outcome.fresh_grants.values()}
    assert len(claims) == 3
    assert await count(shop, "ledger_transactions WHERE kind = 'CLAIM'") == 3


@pytest.mark.requirement("OWN-9")
async def test_claiming_again_credits_nothing(shop: Shop) -> None:
    member_id = await add_member(shop)
    owed = await owe(shop, member_id)
    first = await claim(shop, "claim-1", member_id, owed.id)
    again = await claim(shop, "claim-1", member_id, owed.id)
    assert again == replace(first, idempotent_replay=True, fresh_grants={})
    other_key = await claim(shop, "claim-2", member_id, owed.id)
    assert (codes(other_key), other_key.idempotent_replay) == ([StatusCode.ALREADY_CLAIMED], False)
    assert other_key.results[0].status.is_success
    assert other_key.fresh_grants == {}
    assert await balances(shop, member_id) == (0, 2500)


@pytest.mark.requirement("OWN-9")
async def test_same_grant_twice_in_a_call_is_credited_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    owed = await owe(shop, member_id)
    outcome = await claim(shop, "claim-1", member_id, owed.id, owed.id)
    assert codes(outcome) == [StatusCode.CLAIMED] * 2
    assert await balances(shop, member_id) == (0, 2500)


@pytest.mark.requirement("OWN-9", "ALL-2")
async def test_concurrent_claims_credit_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    owed = [await owe(shop, member_id) for _ in range(3)]
    ids = [one.id for one in owed]
    outcomes = await asyncio.gather(
        *(claim(shop, f"partner-{key}", member_id, *ids) for key in range(6)),
        *(claim(shop, f"back-{key}", member_id, *reversed(ids)) for key in range(6)),
        *(claim(shop, "one key", None, *ids, caller=as_member(shop, member_id)) for _ in range(6)),
    )
    assert await balances(shop, member_id) == (0, 7500)
    fresh = [set(codes(outcome)) for outcome in outcomes if outcome.fresh_grants]
    assert fresh == [{StatusCode.CLAIMED}]
    assert await count(shop, "ledger_transactions WHERE kind = 'CLAIM'") == 3


@pytest.mark.requirement("OWN-9", "MON-13")
async def test_nobody_claims_what_is_not_the_members(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    owed = await owe(shop, joe)
    stranger = await open_shop(shop.database)
    foreign_id = await add_member(stranger)
    foreign = await owe(stranger, foreign_id)
    before = await snapshot(shop.database)
    refused = [
        await claim(shop, "claim-1", ann, owed.id),
        await claim(shop, "claim-2", None, owed.id, caller=as_member(shop, ann)),
        # A member's own token claims for nobody else, whoever is named.
        await claim(shop, "claim-3", joe, owed.id, caller=as_member(shop, ann)),
        await claim(shop, "claim-4", joe, owed.id, caller=shop.neighbor),
        await claim(shop, "claim-5", joe, foreign.id),
        await claim(shop, "claim-6", joe, None, new_id()),
    ]
    assert [set(codes(outcome)) for outcome in refused] == [{StatusCode.GRANT_NOT_FOUND}] * 6
    assert {result.grant_id for outcome in refused for result in outcome.results} == {None}
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("OWN-9")
async def test_grants_that_cannot_be_claimed_leave_the_others(shop: Shop) -> None:
    member_id = await add_member(shop)
    owed, taken_back = await owe(shop, member_id), await owe(shop, member_id)
    await reverse(shop, "1", taken_back.id)
    points = (await grant(shop, manual("1", member_id, (await shop.create_reward()).id))).grant
    outcome = await claim(shop, "claim-1", member_id, None, taken_back.id, owed.id, points.id)
    assert codes(outcome) == [
        StatusCode.GRANT_NOT_FOUND,
        StatusCode.NOT_CLAIMABLE,
        StatusCode.CLAIMED,
        StatusCode.ALREADY_CLAIMED,
    ]
    assert [result.grant_id for result in outcome.results] == [
        None,
        taken_back.id,
        owed.id,
        points.id,
    ]
    assert await balances(shop, member_id) == (0, 2500)


@pytest.mark.requirement("OWN-9", "ALL-2")
async def test_claim_without_effect_leaves_its_key_free(shop: Shop) -> None:
    member_id = await add_member(shop)
    taken_back = await owe(shop, member_id)
    await reverse(shop, "1", taken_back.id)
    before = await snapshot(shop.database)
    outcome = await claim(shop, "claim-1", member_id, taken_back.id, new_id())
    assert codes(outcome) == [StatusCode.NOT_CLAIMABLE, StatusCode.GRANT_NOT_FOUND]
    assert (outcome.idempotent_replay, outcome.fresh_grants) == (False, {})
    assert await snapshot(shop.database) == before
    owed = await owe(shop, member_id)
    assert codes(await claim(shop, "claim-1", member_id, owed.id)) == [StatusCode.CLAIMED]


@pytest.mark.requirement("ALL-2")
async def test_changed_claim_is_a_conflict(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    owed = [await owe(shop, joe) for _ in range(2)]
    await claim(shop, "claim-1", joe, owed[0].id)
    before = await snapshot(shop.database)
    for member_id, ids, differing in (
        (joe, [owed[1].id], ("grantIds",)),
        (joe, [owed[0].id, owed[1].id], ("grantIds",)),
        (ann, [owed[0].id], ("member",)),
    ):
        with pytest.raises(IdempotencyConflict) as raised:
            await claim(shop, "claim-1", member_id, *ids)
        assert raised.value.differing_fields == differing
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("ALL-2", "MON-13")
async def test_keys_of_partners_organizations_and_members_are_apart(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    owed = [await owe(shop, member_id) for member_id in (joe, joe, ann)]
    outcomes = [
        await claim(shop, "1", joe, owed[0].id),
        await claim(shop, "1", None, owed[1].id, caller=as_member(shop, joe)),
        await claim(shop, "1", None, owed[2].id, caller=as_member(shop, ann)),
    ]
    assert [codes(outcome) for outcome in outcomes] == [[StatusCode.CLAIMED]] * 3
    elsewhere = replace(shop.caller, organization_id=shop.neighbor.organization_id)
    with pytest.raises(IdempotencyConflict) as raised:
        await claim(shop, "1", joe, owed[0].id, caller=elsewhere)
    assert raised.value.differing_fields == ("organization",)
    # A member has one set of grants in all organizations, so also one set of keys.
    member = as_member(shop, joe)
    there = replace(member, organization_id=shop.neighbor.organization_id)
    assert (await claim(shop, "1", None, owed[1].id, caller=there)).idempotent_replay


async def test_unknown_member_is_not_found(shop: Shop) -> None:
    owed = await owe(shop, await add_member(shop))
    before = await snapshot(shop.database)
    with pytest.raises(NotFound) as raised:
        await claim(shop, "claim-1", new_id(), owed.id)
    assert raised.value.path == ("input", "member")
    assert await snapshot(shop.database) == before


async def test_partner_must_name_the_member(shop: Shop) -> None:
    owed = await owe(shop, await add_member(shop))
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await claim(shop, "claim-1", None, owed.id)
    assert [(error.path, error.rule) for error in raised.value.errors] == [
        (("input", "member"), "required")
    ]
    assert await snapshot(shop.database) == before


async def test_without_the_claim_scope_nothing_is_claimed(shop: Shop) -> None:
    member_id = await add_member(shop)
    owed = await owe(shop, member_id)
    before = await snapshot(shop.database)
    with pytest.raises(Forbidden, match="claim"):
        await claim(shop, "1", member_id, owed.id, caller=without(shop.caller, Scope.CLAIM))
    assert await snapshot(shop.database) == before


@pytest.mark.parametrize("key", ["", "x" * 129, NUL, SURROGATE])
@pytest.mark.parametrize("grant_count", [0, GRANTS_MAX + 1])
async def test_every_broken_rule_is_listed(shop: Shop, key: str, grant_count: int) -> None:
    member_id = await add_member(shop)
    with pytest.raises(InvalidInput) as raised:
        await claim(shop, key, member_id, *[new_id()] * grant_count)
    assert [error.path for error in raised.value.errors] == [
        ("input", "requestId"),
        ("input", "grantIds"),
    ]


async def test_100_grants_are_claimed_at_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    owed = [await owe(shop, member_id, "1") for _ in range(GRANTS_MAX)]
    outcome = await claim(shop, "claim-1", member_id, *(one.id for one in owed))
    assert codes(outcome) == [StatusCode.CLAIMED] * GRANTS_MAX
    assert await balances(shop, member_id) == (0, 100 * GRANTS_MAX)


@pytest.mark.requirement("OWN-9", "ALL-2")
async def test_claim_that_is_overtaken_shows_the_other_claim(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    member_id = await add_member(shop)
    owed = await owe(shop, member_id)
    others: list[ClaimOutcome] = []

    async def overtake() -> None:
        others.append(await claim(shop, "other", member_id, owed.id))

    fail_first_attempt(monkeypatch, overtake)
    outcome = await claim(shop, "claim-1", member_id, owed.id)
    assert codes(others[0]) == [StatusCode.CLAIMED]
    assert codes(outcome) == [StatusCode.ALREADY_CLAIMED]
    # What the undone attempt would have made of the grant is not shown.
    assert outcome.fresh_grants == {}
    assert await balances(shop, member_id) == (0, 2500)


@pytest.mark.requirement("ALL-2")
async def test_lost_commit_reply_claims_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = await add_member(shop)
    owed = await owe(shop, member_id)
    lose_first_commit_reply(monkeypatch)
    outcome = await claim(shop, "claim-1", member_id, owed.id)
    assert (codes(outcome), outcome.idempotent_replay) == ([StatusCode.CLAIMED], False)
    assert list(outcome.fresh_grants) == [owed.id]
    assert await balances(shop, member_id) == (0, 2500)
