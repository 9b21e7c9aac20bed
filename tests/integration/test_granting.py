"""A custom reward is granted once per client reference, exactly, and to nobody's surprise (OWN-1..9)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.access import Scope
from gateway.errors import FieldError, Forbidden, InvalidInput, NotFound
from gateway.grants import store as grant_store
from gateway.grants.filter import GrantFilter, GrantGrouping
from gateway.grants.list_store import fetch_grant_page
from gateway.grants.record import GrantKind, GrantSource, GrantStatus
from gateway.grants.status import StatusCode
from gateway.grants.total_store import fetch_grant_totals
from gateway.ids import IdKind, encode_id, new_id
from gateway.ledger.model import OwnerKind
from gateway.members.identifiers import IdentifierKind
from gateway.members.model import NOBODY, Identifier, MemberReference
from gateway.operations import store as operation_store
from gateway.operations.model import IdempotencyConflict, OperationKind, Request
from gateway.storage.pages import PageRequest
from tests.catalog import Shop, open_shop
from tests.use_cases import (
    NUL,
    SURROGATE,
    add_member,
    add_members,
    balance,
    cash_of,
    claim,
    count,
    custom,
    fail_first_attempt,
    grant,
    lose_first_commit_reply,
    manual,
    snapshot,
    without,
)
from tests.wallets import facts_of


async def owed(shop: Shop, member_id: Any) -> int:
    return await balance(shop, member_id, cash_of(shop), OwnerKind.CLAIMABLE)


@pytest.mark.requirement("OWN-2", "OWN-8")
async def test_custom_reward_is_confirmed_and_owed_at_once(shop: Shop) -> None:
    member_id = await add_member(shop)
    metadata = {"order": {"lines": [1, 2.5, None, "æøå"]}}
    outcome = await grant(shop, custom("order-1", member_id, "25.00", metadata=metadata))
    made = outcome.grant
    assert (outcome.status.code, outcome.idempotent_replay) == (StatusCode.GRANTED, False)
    assert encode_id(IdKind.GRANT, made.id).startswith("XT_")
    assert made.status is GrantStatus.CONFIRMED
    assert made.kind is GrantKind.CUSTOM
    assert made.source is GrantSource.PARTNER_ACTION
    assert (made.member_id, made.organization_id) == (member_id, shop.caller.organization_id)
    assert (made.action_code, made.client_reference) == ("signup", "order-1")
    assert made.metadata == metadata
    assert made.benefits == [
        {"kind": "ASSET_CREDIT", "asset_id": str(cash_of(shop)), "amount_minor": 2500}
    ]
    assert made.rewarded_at.tzinfo is UTC
    assert timedelta(0) < datetime.now(UTC) - made.rewarded_at < timedelta(seconds=30)
    assert (made.claimed_at, made.claim_transaction_id, made.reversed_at) == (None, None, None)
    assert await owed(shop, member_id) == 2500
    assert await balance(shop, member_id, cash_of(shop)) == 0


@pytest.mark.requirement("ALL-2", "ALL-6")
async def test_grant_leaves_one_transaction_with_its_event_and_operation(shop: Shop) -> None:
    member_id = await add_member(shop)
    made = (await grant(shop, custom("order-1", member_id))).grant
    entries = await shop.database.fetch(
        "SELECT transaction_id, amount_minor, grant_id, occurred_at FROM ledger_entries ORDER BY index"
    )
    at = made.rewarded_at
    assert [tuple(entry) for entry in entries] == [
        (made.transaction_id, -2500, made.id, at),
        (made.transaction_id, 2500, made.id, at),
    ]
    (event,) = await shop.database.fetch("SELECT transaction_id, kind, payload FROM outbox_events")
    payload = {"grantIds": [str(made.id)], "memberId": str(member_id)}
    assert tuple(event) == (made.transaction_id, "GRANT", payload)
    (operation,) = await shop.database.fetch("SELECT id, kind, key, answer FROM operations")
    answer = {"grant_id": str(made.id), "code": "GRANTED", "message": "Reward granted."}
    assert tuple(operation) == (made.operation_id, "GRANT_REWARD", "order-1", answer)


@pytest.mark.requirement("OWN-3")
@pytest.mark.parametrize(
    ("amount", "amount_minor"),
    [("1.00", 100), ("1", 100), ("1.01", 101), ("99.99", 9999), ("100.00", 10000), ("100", 10000)],
)
async def test_amount_is_kept_to_the_cent(shop: Shop, amount: str, amount_minor: int) -> None:
    member_id = await add_member(shop)
    made = (await grant(shop, custom("order-1", member_id, amount))).grant
    assert made.benefits[0]["amount_minor"] == amount_minor
    assert await owed(shop, member_id) == amount_minor


@pytest.mark.requirement("OWN-3")
@pytest.mark.parametrize(
    ("amount", "rule"),
    [
        ("0.99", "range"),
        ("0.999", "range"),
        ("0", "range"),
        ("-5", "range"),
        ("100.01", "range"),
        ("100.001", "range"),
        ("9" * 30, "range"),
        ("1E+1000000", "range"),
        ("NaN", "range"),
        ("sNaN", "range"),
        ("Infinity", "range"),
        ("1.001", "decimals"),
        ("99.999", "decimals"),
        ("1.0000000000000000000000000001", "decimals"),
    ],
)
async def test_other_amounts_change_nothing(shop: Shop, amount: str, rule: str) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await grant(shop, custom("order-1", member_id, amount))
    (error,) = raised.value.errors
    assert (error.path, error.rule) == (("input", "reward", "custom", "amount"), rule)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("OWN-4")
@pytest.mark.parametrize("code", ["a", "Z", "0", ".", "_", "-", "App.Migration_2-b", "x" * 64])
async def test_action_code_of_the_right_form_is_kept(shop: Shop, code: str) -> None:
    member_id = await add_member(shop)
    made = (await grant(shop, custom("order-1", member_id, action_code=code))).grant
    assert made.action_code == code


@pytest.mark.requirement("OWN-4")
@pytest.mark.parametrize(
    "code", ["", " ", "x" * 65, "a\n", "\na", "a b", "a/b", "é", "a\u0301", "１", NUL, SURROGATE]
)
async def test_action_code_is_judged_as_a_whole(shop: Shop, code: str) -> None:
    member_id = await add_member(shop)
    reward = await shop.create_reward()
    before = await snapshot(shop.database)
    for command in (
        custom("order-1", member_id, action_code=code),
        manual("order-1", member_id, reward.id, action_code=code),
    ):
        with pytest.raises(InvalidInput) as raised:
            await grant(shop, command)
        (error,) = raised.value.errors
        assert (error.path, error.rule) == (("input", "actionCode"), "pattern")
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("OWN-2")
async def test_custom_reward_needs_an_action_code(shop: Shop) -> None:
    member_id = await add_member(shop)
    with pytest.raises(InvalidInput) as raised:
        await grant(shop, custom("order-1", member_id, action_code=None))
    message = "actionCode is required beside a custom reward."
    assert raised.value.errors == (FieldError(("input", "actionCode"), "required", message),)


@pytest.mark.requirement("OWN-4")
async def test_grants_are_listed_and_summed_by_action_code(shop: Shop) -> None:
    member_id = await add_member(shop)
    made = [
        (await grant(shop, custom(key, member_id, amount, action_code=code))).grant
        for key, amount, code in (("1", "1", "app"), ("2", "2.50", "app"), ("3", "5", "App"))
    ]
    wanted = GrantFilter(action_code="app")
    async with shop.database.connection() as connection:
        page = await fetch_grant_page(connection, shop.caller, wanted, PageRequest(10))
        totals = await fetch_grant_totals(
            connection, shop.caller, GrantGrouping.ACTION_CODE, GrantFilter()
        )
    assert list(map(facts_of, page.items)) == [facts_of(made[1]), facts_of(made[0])]
    found = {total.key: (total.grant_count, total.amounts_minor) for total in totals}
    assert found == {"app": (2, {cash_of(shop): 350}), "App": (1, {cash_of(shop): 500})}


@pytest.mark.requirement("OWN-5")
@pytest.mark.parametrize("key", ["x", "k" * 128, "ordre æøå 1", "a\tb"])
async def test_client_reference_of_1_to_128_characters_is_taken(shop: Shop, key: str) -> None:
    member_id = await add_member(shop)
    first = await grant(shop, custom(key, member_id))
    assert first.grant.client_reference == key
    assert (await grant(shop, custom(key, member_id))).idempotent_replay


@pytest.mark.requirement("OWN-5")
@pytest.mark.parametrize("key", ["", "   ", "k" * 129, "\x1b", NUL, SURROGATE])
async def test_other_client_references_change_nothing(shop: Shop, key: str) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await grant(shop, custom(key, member_id))
    assert [error.path for error in raised.value.errors] == [("input", "clientReference")]
    assert await snapshot(shop.database) == before


@pytest.mark.parametrize(
    "metadata",
    [
        {"reason": NUL},
        {"reason": SURROGATE},
        {NUL: 1},
        {SURROGATE: 1},
        {"n": 2**64},
        {"n": float("nan")},
        {"n": [float("inf")]},
        {"n": "x" * 16_384},
    ],
)
async def test_metadata_that_cannot_be_stored_changes_nothing(
    shop: Shop, metadata: dict[str, Any]
) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await grant(shop, custom("order-1", member_id, metadata=metadata))
    assert [error.path for error in raised.value.errors] == [("input", "metadata")]
    assert await snapshot(shop.database) == before


async def test_every_broken_rule_is_listed(shop: Shop) -> None:
    member_id = await add_member(shop)
    command = custom("", member_id, "0", action_code="no spaces", metadata={"n": 2**64})
    with pytest.raises(InvalidInput) as raised:
        await grant(shop, command)
    assert [error.path[1:] for error in raised.value.errors] == [
        ("clientReference",),
        ("metadata",),
        ("actionCode",),
        ("reward", "custom", "amount"),
    ]


@pytest.mark.requirement("OWN-1")
async def test_without_the_grant_scope_nothing_is_granted(shop: Shop) -> None:
    member_id = await add_member(shop)
    before = await snapshot(shop.database)
    caller = without(shop.caller, Scope.GRANT)
    # The credential is judged before the input: whoever may not grant learns nothing about the rules.
    for command in (custom("order-1", member_id), custom("", member_id, "0")):
        with pytest.raises(Forbidden, match="grant"):
            await grant(shop, command, caller)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("OWN-2", "MON-13")
async def test_unknown_members_are_not_found(shop: Shop) -> None:
    stranger = Identifier(IdentifierKind.EMAIL, "joe@bloggs.com")
    foreign_id = await add_member(await open_shop(shop.database), stranger)
    before = await snapshot(shop.database)
    for reference in (
        MemberReference(None, str(new_id())),
        MemberReference(None, str(foreign_id)),
        MemberReference(*stranger),
        NOBODY,
    ):
        with pytest.raises(NotFound) as raised:
            await grant(shop, replace(custom("order-1", foreign_id), member=reference))
        assert raised.value.path == ("input", "member")
    assert await snapshot(shop.database) == before


async def test_member_is_found_by_identifier_across_organizations(shop: Shop) -> None:
    joe = Identifier(IdentifierKind.EMAIL, "joe@bloggs.com")
    member_id = await add_member(shop, joe)
    command = replace(custom("order-1", member_id), member=MemberReference(*joe))
    made = (await grant(shop, command, shop.neighbor)).grant
    assert (made.member_id, made.organization_id) == (member_id, shop.neighbor.organization_id)


@pytest.mark.requirement("OWN-6", "ALL-2")
async def test_replay_returns_the_first_grant_and_mints_nothing(shop: Shop) -> None:
    member_id = await add_member(shop)
    metadata = {"n": 1.0, "big": 2**63, "small": -0.0, "tiny": 5e-324, "huge": 1e300}
    first = await grant(shop, custom("order-1", member_id, "5.00", metadata=metadata))
    before = await snapshot(shop.database)
    # 5 and 5.00 are one amount.
    again = await grant(shop, custom("order-1", member_id, "5", metadata=metadata))
    assert again == replace(first, idempotent_replay=True)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("OWN-6", "OWN-9")
async def test_replay_after_the_claim_still_replays(shop: Shop) -> None:
    member_id = await add_member(shop)
    first = await grant(shop, custom("order-1", member_id))
    await claim(shop, "claim-1", member_id, first.grant.id)
    before = await snapshot(shop.database)
    again = await grant(shop, custom("order-1", member_id))
    assert again.idempotent_replay
    assert (again.grant.id, again.grant.status) == (first.grant.id, GrantStatus.CLAIMED)
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("OWN-7")
async def test_conflict_names_the_fields_that_differ(shop: Shop) -> None:
    joe, ann = await add_members(shop, 2)
    reward = await shop.create_reward()
    await grant(shop, custom("order-1", joe, "5.00"))
    before = await snapshot(shop.database)
    for command, differing in (
        (custom("order-1", joe, "5.01"), ("amount",)),
        (custom("order-1", ann, "5.00"), ("member",)),
        (custom("order-1", ann, "6", action_code="other"), ("amount", "member")),
        (manual("order-1", joe, reward.id), ("amount", "metadata", "rewardId")),
    ):
        with pytest.raises(IdempotencyConflict) as raised:
            await grant(shop, command)
        assert raised.value.differing_fields == differing
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("OWN-7")
async def test_other_action_code_replays_and_echoes_the_stored_one(shop: Shop) -> None:
    member_id = await add_member(shop)
    first = await grant(shop, custom("order-1", member_id, action_code="signup"))
    again = await grant(shop, custom("order-1", member_id, action_code="referral"))
    assert again == replace(first, idempotent_replay=True)
    assert again.grant.action_code == "signup"


@pytest.mark.requirement("OWN-5", "MON-13")
async def test_client_reference_belongs_to_one_partner(shop: Shop) -> None:
    member_id = await add_member(shop)
    first = await grant(shop, custom("order-1", member_id))
    other = await grant(shop, custom("order-1", member_id), shop.neighbor)
    assert not other.idempotent_replay
    assert other.grant.id != first.grant.id
    assert await owed(shop, member_id) == 5000


@pytest.mark.requirement("MON-13", "ALL-2")
async def test_partner_of_two_organizations_does_not_see_one_through_the_other(shop: Shop) -> None:
    member_id = await add_member(shop)
    await grant(shop, custom("order-1", member_id))
    elsewhere = replace(shop.caller, organization_id=shop.neighbor.organization_id)
    with pytest.raises(IdempotencyConflict) as raised:
        await grant(shop, custom("order-1", member_id), elsewhere)
    assert raised.value.differing_fields == ("organization",)


@pytest.mark.requirement("OWN-6", "ALL-2")
async def test_concurrent_duplicates_are_one_grant_and_replays(shop: Shop) -> None:
    member_id = await add_member(shop)
    outcomes = await asyncio.gather(*(grant(shop, custom("order-1", member_id)) for _ in range(20)))
    assert sorted(outcome.idempotent_replay for outcome in outcomes) == [False] + [True] * 19
    assert {outcome.grant.id for outcome in outcomes} == {outcomes[0].grant.id}
    assert await owed(shop, member_id) == 2500
    assert await count(shop, "grants") == 1


async def test_concurrent_grants_to_one_member_add_up(shop: Shop) -> None:
    member_id = await add_member(shop)
    await asyncio.gather(*(grant(shop, custom(str(key), member_id, "1")) for key in range(30)))
    assert await owed(shop, member_id) == 3000


async def test_passing_fault_grants_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = await add_member(shop)
    fail_first_attempt(monkeypatch)
    first = await grant(shop, custom("order-1", member_id))
    assert not first.idempotent_replay
    again = await grant(shop, custom("order-1", member_id))
    assert again == replace(first, idempotent_replay=True)
    assert await owed(shop, member_id) == 2500


async def test_lost_commit_reply_grants_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    member_id = await add_member(shop)
    lose_first_commit_reply(monkeypatch)
    first = await grant(shop, custom("order-1", member_id))
    assert not first.idempotent_replay
    again = await grant(shop, custom("order-1", member_id))
    assert again == replace(first, idempotent_replay=True)
    assert await owed(shop, member_id) == 2500


@pytest.mark.requirement("ALL-2")
async def test_a_key_is_freed_only_by_the_request_that_holds_it(shop: Shop) -> None:
    member_id = await add_member(shop)
    first = await grant(shop, custom("order-1", member_id))
    stranger = Request(OperationKind.GRANT_REWARD, "order-1", {}, new_id())
    async with shop.database.transaction() as connection:
        await operation_store.release(connection, shop.caller, [stranger])
    assert await grant(shop, custom("order-1", member_id)) == replace(first, idempotent_replay=True)


@pytest.mark.parametrize("copied_min", [1, 500], ids=["copied", "inserted"])
async def test_grants_are_written_as_they_were_made(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, copied_min: int
) -> None:
    monkeypatch.setattr(grant_store, "COPIED_MIN", copied_min)
    member_id = await add_member(shop)
    metadata = {"order": [1, None, '\\ \t\n" €']}
    made = (await grant(shop, custom("order-1", member_id, "25.00", metadata=metadata))).grant
    async with shop.database.connection() as connection:
        read = await grant_store.fetch_grants(connection, shop.caller.tenant_id, [made.id])
    assert read == {made.id: made}
