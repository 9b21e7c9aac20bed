"""A declared till sends a member's code with each issuance, and each code works once (CAP-16)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from gateway.access import PARTNER_SCOPES, BoundTill, Scope
from gateway.errors import AlreadyExists, Forbidden, InvalidInput, NotFound, OutOfReach
from gateway.grants.status import StatusCode
from gateway.ids import new_id
from gateway.issuing.scope import DataScope
from gateway.issuing.tills.creating import CreateTill, create_till
from gateway.issuing.tills.model import ALPHABET, CODE_LENGTH
from gateway.issuing.tills.requesting import RequestCode, request_validation_code
from gateway.operations.model import IdempotencyConflict
from gateway.rewards.model import RewardStatus
from gateway.tenants.credentials import authenticate, create_partner_token
from tests.catalog import Shop
from tests.issuing_cases import add_child, declare_till, organization, reaching, request_code
from tests.use_cases import (
    NUL,
    add_member,
    add_members,
    as_member,
    codes_of,
    count,
    issue,
    item,
    named,
    snapshot,
    without,
)

CODE_PATH = ("input", "validationCode")


async def refuse(
    shop: Shop, member_id: UUID, rule: str, path: tuple[str, ...] = CODE_PATH, **fields: Any
) -> None:
    """Hold that an issuance is refused by this rule at this path and changes nothing."""
    reward = await shop.create_reward()
    before = await snapshot(shop.database)
    with pytest.raises(InvalidInput) as raised:
        await issue(shop, "refused", member_id, item(reward), **fields)
    assert [(error.path, error.rule) for error in raised.value.errors] == [(path, rule)]
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-16")
async def test_code_works_once(shop: Shop) -> None:
    till_id, member_id = await declare_till(shop), await add_member(shop)
    reward = await shop.create_reward()
    code = await request_code(shop, till_id, member_id)
    sent: dict[str, Any] = {"till": "Till 1", "validation_code": code}
    outcome = await issue(shop, "1", member_id, item(reward), **sent)
    assert codes_of(outcome) == [StatusCode.GRANTED]
    await refuse(shop, member_id, "used", **sent)
    # The same request is answered as it was, whatever code comes with it.
    for again in (sent, {"till": "Till 1"}, sent | {"validation_code": "00000000"}):
        replay = await issue(shop, "1", member_id, item(reward), **again)
        assert replay == replace(outcome, command=replay.command, idempotent_replay=True)


@pytest.mark.requirement("CAP-16")
async def test_where_tills_are_declared_a_call_names_one_and_sends_a_code(shop: Shop) -> None:
    member_id, reward = await add_member(shop), await shop.create_reward()
    for till in (None, "till 1", "kiosk"):
        outcome = await issue(shop, str(till), member_id, item(reward), till=till)
        assert codes_of(outcome) == [StatusCode.GRANTED]
    till_id = await declare_till(shop)
    await declare_till(shop, "Tillé", caller=shop.neighbor)
    path = ("input", "till")
    await refuse(shop, member_id, "required", path)
    for unknown in ("kiosk", "Till\u00a01", "Tillé", ""):
        await refuse(shop, member_id, "exists", path, till=unknown)
        code = await request_code(shop, till_id, member_id)
        await refuse(shop, member_id, "exists", path, till=unknown, validation_code=code)
    for spelled in ("Till 1", "till 1", "TILL 1", " Till 1\t", "Till 1\u3000"):
        await refuse(shop, member_id, "required", till=spelled)
        code = await request_code(shop, till_id, member_id)
        outcome = await issue(
            shop, spelled, member_id, item(reward), till=spelled, validation_code=code
        )
        assert codes_of(outcome) == [StatusCode.GRANTED]


@pytest.mark.requirement("CAP-16")
async def test_till_has_one_name_however_it_is_written(shop: Shop) -> None:
    till_id = await declare_till(shop, "Kasse Å")
    for same in ("kasse å", " KASSE Å ", "Kasse A\u030a"):
        with pytest.raises(AlreadyExists):
            await declare_till(shop, same)
    member_id, reward = await add_member(shop), await shop.create_reward()
    code = await request_code(shop, till_id, member_id)
    outcome = await issue(
        shop, "1", member_id, item(reward), till="kasse a\u030a", validation_code=code
    )
    assert codes_of(outcome) == [StatusCode.GRANTED]


@pytest.mark.requirement("CAP-16")
async def test_bound_credential_is_always_at_its_till(shop: Shop) -> None:
    here, there = await declare_till(shop), await declare_till(shop, "Till 2")
    bound = replace(shop.caller, till=BoundTill(here, "Till 1", "till 1"))
    member_id, reward = await add_member(shop), await shop.create_reward()
    path = ("input", "till")
    for other in ("Till 2", "kiosk", ""):
        await refuse(shop, member_id, "bound", path, till=other, caller=bound)
    await refuse(shop, member_id, "required", caller=bound)
    elsewhere = await request_code(shop, there, member_id)
    await refuse(shop, member_id, "exists", validation_code=elsewhere, caller=bound)
    for till in (None, "till 1 "):
        code = await request_code(shop, here, member_id)
        outcome = await issue(
            shop,
            f"at {till}",
            member_id,
            item(reward),
            till=till,
            validation_code=code,
            caller=bound,
        )
        assert codes_of(outcome) == [StatusCode.GRANTED]
        assert outcome.command.till == "Till 1"


@pytest.mark.requirement("CAP-13", "CAP-16")
async def test_code_of_a_namesake_elsewhere_is_none_for_a_bound_credential(shop: Shop) -> None:
    child = await add_child(shop)
    here, there = await declare_till(shop), await declare_till(child)
    bound = replace(reaching(shop, child), till=BoundTill(here, "Till 1", "till 1"))
    childs = organization(child.caller.organization_id)
    scope: dict[str, Any] = {"data_scope": DataScope.OTHER, "organizations": (childs,)}
    member_id, reward = await add_member(shop), await child.create_reward()
    wanted = item(reward, organization=childs)
    code = await request_code(child, there, member_id)
    with pytest.raises(InvalidInput) as raised:
        await issue(shop, "1", member_id, wanted, validation_code=code, caller=bound, **scope)
    assert raised.value.path == CODE_PATH
    code = await request_code(shop, here, member_id)
    await issue(shop, "1", member_id, wanted, validation_code=code, caller=bound, **scope)


# No other may be bound to a till: it would move value without a member's code, or make such codes.
OF_A_TILL = {Scope.READ, Scope.ISSUE, Scope.CLAIM, Scope.CODES, Scope.SKIP_VALIDATION}


@pytest.mark.requirement("CAP-16")
async def test_credential_is_bound_to_a_till_of_its_organization(shop: Shop) -> None:
    till_id = await declare_till(shop)
    await declare_till(shop, "Next door", caller=shop.neighbor)
    where = (shop.database, shop.caller.tenant_id, shop.caller.organization_id, "till")
    made = await create_partner_token(*where, [Scope.ISSUE], till=" TILL 1")
    assert made.credential.till_id == till_id
    caller = await authenticate(shop.database, made.text)
    assert caller.till == BoundTill(till_id, "Till 1", "till 1")
    for till, scope, path in (
        ("Next door", Scope.ISSUE, "till"),
        ("kiosk", Scope.ISSUE, "till"),
        (NUL, Scope.ISSUE, "till"),
        *(("Till 1", scope, "scopes") for scope in sorted(PARTNER_SCOPES - OF_A_TILL)),
    ):
        with pytest.raises(InvalidInput) as refusal:
            await create_partner_token(*where, [Scope.ISSUE, scope], till=till)
        assert refusal.value.path == (path,)


@pytest.mark.requirement("CAP-16")
async def test_wrong_code_is_refused(shop: Shop) -> None:
    here, there = await declare_till(shop), await declare_till(shop, "Till 2")
    ann, bob = await add_members(shop, 2)
    code = await request_code(shop, here, ann)
    for till, member_id, sent in (
        ("Till 1", ann, "00000000"),
        ("Till 1", ann, "x"),
        ("Till 1", bob, code),
        ("Till 2", ann, code),
    ):
        await refuse(shop, member_id, "exists", till=till, validation_code=sent)
    await request_code(shop, there, ann)
    reward = await shop.create_reward()
    await issue(shop, "1", ann, item(reward), till="Till 1", validation_code=code)


@pytest.mark.requirement("CAP-16")
async def test_code_expires_by_the_databases_clock(shop: Shop, owner: Any) -> None:
    till_id, member_id = await declare_till(shop), await add_member(shop)
    code = await request_code(shop, till_id, member_id, valid_seconds=60)
    await owner.execute(
        "UPDATE validation_codes SET expires_at = expires_at - interval '61 seconds'"
    )
    await refuse(shop, member_id, "expired", till="Till 1", validation_code=code)


@pytest.mark.requirement("CAP-16")
async def test_code_is_read_as_people_write_it(shop: Shop) -> None:
    till_id, member_id = await declare_till(shop), await add_member(shop)
    reward = await shop.create_reward()
    code = await request_code(shop, till_id, member_id)
    assert len(code) == CODE_LENGTH
    assert set(code) <= set(ALPHABET)
    written = f" {code[:4].lower()}-{code[4:]} ".replace("0", "o").replace("1", "l")
    await issue(shop, "1", member_id, item(reward), till="Till 1", validation_code=written)


@pytest.mark.requirement("CAP-16")
async def test_code_is_kept_as_a_hash_only_and_shown_once(shop: Shop) -> None:
    till_id, member_id = await declare_till(shop), await add_member(shop)
    command = RequestCode("1", till_id, named(member_id))
    first = await request_validation_code(shop.database, shop.caller, command)
    assert first.code is not None
    assert first.code not in repr(first)
    again = await request_validation_code(shop.database, shop.caller, command)
    assert again == replace(first, code=None, idempotent_replay=True)
    for table in ("validation_codes", "operations", "outbox_events"):
        rows = await shop.database.fetch(f"SELECT row_to_json(t)::text AS text FROM {table} AS t")  # noqa: S608
        assert all(first.code not in row["text"] for row in rows)
    with pytest.raises(IdempotencyConflict):
        await request_validation_code(shop.database, shop.caller, replace(command, valid_seconds=1))


@pytest.mark.requirement("CAP-16")
async def test_concurrent_calls_use_one_code_once(shop: Shop) -> None:
    till_id, member_id = await declare_till(shop), await add_member(shop)
    reward = await shop.create_reward()
    code = await request_code(shop, till_id, member_id)
    outcomes = await asyncio.gather(
        *(
            issue(shop, str(key), member_id, item(reward), till="Till 1", validation_code=code)
            for key in range(20)
        ),
        return_exceptions=True,
    )
    refused = [one for one in outcomes if isinstance(one, InvalidInput)]
    assert len(refused) == 19
    assert {error.rule for one in refused for error in one.errors} == {"used"}
    assert await count(shop, "grants") == 1


@pytest.mark.requirement("CAP-16", "CAP-3")
async def test_code_of_a_call_that_issued_nothing_can_be_used_again(shop: Shop) -> None:
    till_id, member_id = await declare_till(shop), await add_member(shop)
    inactive = await shop.create_reward(status=RewardStatus.INACTIVE)
    good = await shop.create_reward()
    code = await request_code(shop, till_id, member_id)
    sent: dict[str, Any] = {"till": "Till 1", "validation_code": code}
    before = await snapshot(shop.database)
    outcome = await issue(shop, "1", member_id, item(inactive), **sent)
    assert codes_of(outcome) == [StatusCode.REWARD_INACTIVE]
    await issue(shop, "2", member_id, item(good), is_dry_run=True, **sent)
    assert await snapshot(shop.database) == before
    outcome = await issue(shop, "3", member_id, item(good), **sent)
    assert codes_of(outcome) == [StatusCode.GRANTED]


@pytest.mark.requirement("CAP-16")
async def test_skipping_needs_the_scope(shop: Shop) -> None:
    await declare_till(shop)
    member_id, reward = await add_member(shop), await shop.create_reward()
    outcome = await issue(shop, "1", member_id, item(reward), till="Till 1", skips_validation=True)
    assert codes_of(outcome) == [StatusCode.GRANTED]
    before = await snapshot(shop.database)
    with pytest.raises(OutOfReach) as raised:
        await issue(
            shop,
            "2",
            member_id,
            item(reward),
            till="Till 1",
            skips_validation=True,
            caller=without(shop.caller, Scope.SKIP_VALIDATION),
        )
    assert raised.value.path == ("input", "skipValidation")
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-16")
async def test_code_without_a_declared_till_is_refused(shop: Shop) -> None:
    till_id, member_id = await declare_till(shop), await add_member(shop)
    code = await request_code(shop, till_id, member_id)
    await refuse(shop, member_id, "till", validation_code=code)
    await refuse(shop, member_id, "exists", ("input", "till"), till="kiosk", validation_code=code)
    # Of an organization without tills as well.
    reward = await replace(shop, caller=shop.neighbor).create_reward()
    with pytest.raises(InvalidInput) as raised:
        await issue(
            shop,
            "1",
            member_id,
            item(reward),
            till="Till 1",
            validation_code=code,
            caller=shop.neighbor,
        )
    assert raised.value.path == ("input", "till")
    await refuse(shop, member_id, "characters", till="Till 1", validation_code=NUL)
    await refuse(shop, member_id, "length", till="Till 1", validation_code="0" * 65)


@pytest.mark.requirement("CAP-16")
async def test_member_asks_for_themselves(shop: Shop) -> None:
    till_id, member_id = await declare_till(shop), await add_member(shop)
    reward = await shop.create_reward()
    member = as_member(shop, member_id)
    asked = await request_validation_code(shop.database, member, RequestCode("1", till_id))
    await issue(shop, "1", member_id, item(reward), till="Till 1", validation_code=asked.code)
    with pytest.raises(InvalidInput) as raised:
        await request_validation_code(
            shop.database, member, RequestCode("2", till_id, named(member_id))
        )
    assert raised.value.path == ("input", "member")


@pytest.mark.requirement("CAP-16")
async def test_request_that_cannot_be_changes_nothing(shop: Shop) -> None:
    till_id, member_id = await declare_till(shop), await add_member(shop)
    foreign_id = await declare_till(shop, caller=shop.neighbor)
    before = await snapshot(shop.database)
    for command, path in (
        (RequestCode("1", new_id(), named(member_id)), ("input", "tillId")),
        (RequestCode("1", None, named(member_id)), ("input", "tillId")),
        (RequestCode("1", foreign_id, named(member_id)), ("input", "tillId")),
        (RequestCode("1", till_id, named(new_id())), ("input", "member")),
    ):
        with pytest.raises(NotFound) as missing:
            await request_validation_code(shop.database, shop.caller, command)
        assert missing.value.path == path
    for command, path in (
        (RequestCode("1", till_id), ("input", "member")),
        (RequestCode("1", till_id, named(member_id), 0), ("input", "validSeconds")),
        (RequestCode("1", till_id, named(member_id), 3_601), ("input", "validSeconds")),
        (RequestCode("", till_id, named(member_id)), ("input", "requestId")),
    ):
        with pytest.raises(InvalidInput) as raised:
            await request_validation_code(shop.database, shop.caller, command)
        assert raised.value.path == path
    with pytest.raises(Forbidden):
        await request_validation_code(
            shop.database,
            without(shop.caller, Scope.MEMBERS),
            RequestCode("1", till_id, named(member_id)),
        )
    assert await snapshot(shop.database) == before


@pytest.mark.requirement("CAP-13", "CAP-16")
async def test_tills_of_organizations_in_scope_ask_for_codes_too(shop: Shop) -> None:
    child = await add_child(shop)
    caller = reaching(shop, child)
    member_id, reward = await add_member(shop), await child.create_reward()
    childs = organization(child.caller.organization_id)
    created = await create_till(shop.database, caller, CreateTill("1", "Counter", childs))
    assert created.till.organization_id == child.caller.organization_id
    scope: dict[str, Any] = {
        "caller": caller,
        "data_scope": DataScope.OTHER,
        "organizations": (childs,),
        "till": "Counter",
    }
    wanted = item(reward, organization=childs)
    with pytest.raises(InvalidInput):
        await issue(shop, "1", member_id, wanted, **scope)
    code = await request_code(child, created.till.id, member_id)
    outcome = await issue(shop, "1", member_id, wanted, validation_code=code, **scope)
    assert codes_of(outcome) == [StatusCode.GRANTED]


@pytest.mark.requirement("CAP-16")
async def test_till_is_declared_once_and_within_reach(shop: Shop) -> None:
    first = await create_till(shop.database, shop.caller, CreateTill("1", "Till 1"))
    again = await create_till(shop.database, shop.caller, CreateTill("1", "Till 1"))
    assert again == replace(first, idempotent_replay=True)
    before = await snapshot(shop.database)
    with pytest.raises(AlreadyExists) as taken:
        await create_till(shop.database, shop.caller, CreateTill("2", "Till 1"))
    assert taken.value.path == ("input", "name")
    beside = organization(shop.neighbor.organization_id)
    with pytest.raises(OutOfReach) as raised:
        await create_till(shop.database, shop.caller, CreateTill("2", "Till 2", beside))
    assert raised.value.path == ("input", "orgId")
    for name in ("", NUL, "x" * 201):
        with pytest.raises(InvalidInput):
            await create_till(shop.database, shop.caller, CreateTill("2", name))
    with pytest.raises(Forbidden):
        await create_till(
            shop.database, without(shop.caller, Scope.CATALOG), CreateTill("2", "Till 2")
        )
    assert await snapshot(shop.database) == before
