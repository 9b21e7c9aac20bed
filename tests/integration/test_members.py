"""Members are found, created and extended by their identifiers, once per request id, within their tenant only."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

import pytest

from gateway.access import Caller, Scope
from gateway.errors import (
    AlreadyExists,
    FieldError,
    Forbidden,
    InvalidInput,
    NotFound,
    Overloaded,
)
from gateway.ids import new_id, new_ids
from gateway.members.creating import create_members
from gateway.members.identifiers import IdentifierKind
from gateway.members.linking import (
    LinkedIdentifier,
    LinkIdentifier,
    link_identifier,
)
from gateway.members.list_store import count_members, fetch_member_page
from gateway.members.model import Identifier, Member, MemberReference, NewMember
from gateway.members.racing import RACES_MAX, IdentifierRaced, run_once_despite_races
from gateway.members.store import fetch_identifiers, fetch_members, find_members, lock_member
from gateway.members.upserting import UpsertedMember, UpsertMember, upsert_member
from gateway.operations.model import IdempotencyConflict, Operation, OperationKind, Request
from gateway.storage.database import Connection, Database
from gateway.storage.pages import PageRequest
from gateway.tenants.founding import create_tenant

EMAIL = Identifier(IdentifierKind.EMAIL, "joe@bloggs.com")
MOBILE = Identifier(IdentifierKind.MOBILE, "+4790123456")
WALLET = Identifier(IdentifierKind.WALLET_ADDRESS, "0xd03ea8624c8c5987235048901fb614fdca89b117")
AT = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


async def make_caller(database: Database, scopes: Sequence[Scope] = (Scope.MEMBERS,)) -> Caller:
    founded = await create_tenant(database, "Acme", "Acme Oslo")
    tenant = founded.tenant
    return Caller(
        tenant.id, founded.organization.id, new_id(), frozenset(scopes), tenant.standard_assets
    )


async def upsert(
    database: Database, caller: Caller, key: str, *identifiers: Identifier, name: str | None = None
) -> UpsertedMember:
    return await upsert_member(database, caller, UpsertMember(key, identifiers, name))


async def find(database: Database, caller: Caller, *wanted: Identifier) -> list[UUID | None]:
    async with database.connection() as connection:
        return await find_members(connection, caller.tenant_id, wanted)


async def test_new_member_is_found_by_every_identifier(database: Database) -> None:
    caller = await make_caller(database)
    created = await upsert(database, caller, "1", EMAIL, MOBILE, WALLET, name="Joe")
    assert created == UpsertedMember(created.member_id, was_created=True, idempotent_replay=False)
    assert await find(database, caller, WALLET, EMAIL, MOBILE) == [created.member_id] * 3
    async with database.connection() as connection:
        members = await fetch_members(connection, caller.tenant_id, [created.member_id])
        stored = await fetch_identifiers(connection, caller.tenant_id, [created.member_id])
    (member,) = members.values()
    assert member == Member(created.member_id, "Joe", member.created_at, caller.organization_id)
    assert set(stored[created.member_id]) == {EMAIL, MOBILE, WALLET}


async def test_upsert_extends_the_member_who_has_one_identifier(database: Database) -> None:
    caller = await make_caller(database)
    created = await upsert(database, caller, "1", EMAIL, name="Joe")
    extended = await upsert(database, caller, "2", EMAIL, MOBILE, name="Joe Bloggs")
    unnamed = await upsert(database, caller, "3", MOBILE)
    assert extended == UpsertedMember(created.member_id, False, False)
    assert unnamed == UpsertedMember(created.member_id, False, False)
    assert await find(database, caller, MOBILE) == [created.member_id]
    async with database.connection() as connection:
        members = await fetch_members(connection, caller.tenant_id, [created.member_id])
        assert await count_members(connection, caller.tenant_id) == 1
    assert members[created.member_id].display_name == "Joe Bloggs"


async def test_repeated_identifier_counts_once(database: Database) -> None:
    caller = await make_caller(database)
    created = await upsert(database, caller, "1", EMAIL, EMAIL)
    again = await upsert(database, caller, "2", MOBILE, MOBILE, EMAIL)
    assert again.member_id == created.member_id
    async with database.connection() as connection:
        stored = await fetch_identifiers(connection, caller.tenant_id, [created.member_id])
    assert set(stored[created.member_id]) == {EMAIL, MOBILE}


async def test_identifiers_of_two_members_conflict_and_change_nothing(database: Database) -> None:
    caller = await make_caller(database)
    first = await upsert(database, caller, "1", EMAIL)
    second = await upsert(database, caller, "2", MOBILE)
    with pytest.raises(AlreadyExists) as refusal:
        await upsert(database, caller, "3", WALLET, EMAIL, MOBILE, name="Joe")
    assert refusal.value.path == ("input", "identifiers", "2")
    found = await find(database, caller, EMAIL, MOBILE, WALLET)
    assert found == [first.member_id, second.member_id, None]
    # The key of a refused request is free again.
    assert (await upsert(database, caller, "3", WALLET)).was_created


@pytest.mark.requirement("ALL-2")
async def test_replay_returns_first_outcome(database: Database) -> None:
    caller = await make_caller(database)
    first = await upsert(database, caller, "1", EMAIL, name="Joe")
    again = await upsert(database, caller, "1", EMAIL, name="Joe")
    assert again == UpsertedMember(first.member_id, was_created=True, idempotent_replay=True)


@pytest.mark.requirement("ALL-2")
async def test_reused_key_changes_nothing(database: Database) -> None:
    caller = await make_caller(database)
    await upsert(database, caller, "1", EMAIL, name="Joe")
    with pytest.raises(IdempotencyConflict) as conflict:
        await upsert(database, caller, "1", MOBILE, name="Joe")
    assert conflict.value.differing_fields == ("identifiers",)
    assert await find(database, caller, MOBILE) == [None]


@pytest.mark.requirement("ALL-2")
async def test_concurrent_upserts_of_one_email_make_one_member(database: Database) -> None:
    caller = await make_caller(database)
    others = [Identifier(IdentifierKind.TWITTER_ID, str(number)) for number in range(1, 13)]
    outcomes = await asyncio.gather(
        *(
            upsert(database, caller, f"key-{number}", EMAIL, other)
            for number, other in enumerate(others)
        )
    )
    assert len({outcome.member_id for outcome in outcomes}) == 1
    assert [outcome.was_created for outcome in outcomes].count(True) == 1
    assert await find(database, caller, *others) == [outcomes[0].member_id] * 12
    async with database.connection() as connection:
        assert await count_members(connection, caller.tenant_id) == 1


@pytest.mark.requirement("ALL-2")
async def test_concurrent_uses_of_one_key_run_once(database: Database) -> None:
    caller = await make_caller(database)
    outcomes = await asyncio.gather(*(upsert(database, caller, "1", EMAIL) for _ in range(12)))
    assert len({outcome.member_id for outcome in outcomes}) == 1
    assert [outcome.idempotent_replay for outcome in outcomes].count(False) == 1


async def test_crossed_identifiers_do_not_deadlock(database: Database) -> None:
    caller = await make_caller(database)
    outcomes = await asyncio.gather(
        *(
            upsert(database, caller, str(number), *((EMAIL, MOBILE), (MOBILE, EMAIL))[number % 2])
            for number in range(10)
        )
    )
    assert len({outcome.member_id for outcome in outcomes}) == 1


@pytest.mark.requirement("OWN-1")
async def test_missing_scope_writes_nothing(database: Database) -> None:
    caller = await make_caller(database, [Scope.READ, Scope.GRANT])
    with pytest.raises(Forbidden):
        await upsert(database, caller, "1", EMAIL)
    with pytest.raises(Forbidden):
        await link_identifier(
            database, caller, LinkIdentifier("1", MemberReference(*EMAIL), MOBILE)
        )
    assert await database.fetch("SELECT FROM members") == []
    assert await database.fetch("SELECT FROM operations") == []


async def test_every_broken_rule_is_listed(database: Database) -> None:
    caller = await make_caller(database)
    with pytest.raises(InvalidInput) as refusal:
        await upsert(database, caller, "a\x00b", name="Joe\ud800")
    assert [error.path for error in refusal.value.errors] == [
        ("input", "requestId"),
        ("input", "displayName"),
        ("input", "identifiers"),
    ]
    assert await database.fetch("SELECT FROM members") == []


async def test_member_has_at_most_fifty_identifiers(database: Database) -> None:
    caller = await make_caller(database)
    all_of_them = [Identifier(IdentifierKind.TWITTER_ID, str(number)) for number in range(1, 52)]
    for part in (all_of_them[:19], all_of_them[19:38], all_of_them[38:50]):
        await upsert(database, caller, f"key-{part[0].value}", all_of_them[0], *part)
    with pytest.raises(InvalidInput) as refusal:
        await upsert(database, caller, "last", all_of_them[0], all_of_them[50])
    message = "A member may have at most 50 identifiers."
    assert refusal.value.errors == (FieldError(("input", "identifiers"), "count", message),)
    assert await find(database, caller, all_of_them[50]) == [None]


@pytest.mark.requirement("ALL-2")
async def test_link_gives_the_member_one_more_identifier(database: Database) -> None:
    caller = await make_caller(database)
    created = await upsert(database, caller, "1", EMAIL)
    command = LinkIdentifier("2", MemberReference(None, str(created.member_id)), MOBILE)
    assert await link_identifier(database, caller, command) == LinkedIdentifier(
        created.member_id, False
    )
    assert await link_identifier(database, caller, command) == LinkedIdentifier(
        created.member_id, True
    )
    # Linking what is linked is no error, whatever names the member.
    again = LinkIdentifier("3", MemberReference(*MOBILE), MOBILE)
    assert await link_identifier(database, caller, again) == LinkedIdentifier(
        created.member_id, False
    )
    assert await find(database, caller, MOBILE) == [created.member_id]


async def test_link_refuses_what_another_member_has(database: Database) -> None:
    caller = await make_caller(database)
    await upsert(database, caller, "1", EMAIL)
    second = await upsert(database, caller, "2", MOBILE)
    with pytest.raises(AlreadyExists) as refusal:
        await link_identifier(
            database, caller, LinkIdentifier("3", MemberReference(*EMAIL), MOBILE)
        )
    assert refusal.value.path == ("input", "identifier")
    assert await find(database, caller, MOBILE) == [second.member_id]


async def test_link_to_unknown_member_is_not_found(database: Database) -> None:
    caller = await make_caller(database)
    for reference in (MemberReference(*EMAIL), MemberReference(None, str(new_id()))):
        with pytest.raises(NotFound) as refusal:
            await link_identifier(database, caller, LinkIdentifier("1", reference, MOBILE))
        assert refusal.value.path == ("input", "member")
    assert await find(database, caller, MOBILE) == [None]


async def test_concurrent_links_of_one_identifier_have_one_winner(database: Database) -> None:
    caller = await make_caller(database)
    names = [Identifier(IdentifierKind.TWITTER_ID, str(number)) for number in range(1, 9)]
    for name in names:
        await upsert(database, caller, f"make-{name.value}", name)
    outcomes = await asyncio.gather(
        *(
            link_identifier(
                database,
                caller,
                LinkIdentifier(f"link-{name.value}", MemberReference(*name), MOBILE),
            )
            for name in names
        ),
        return_exceptions=True,
    )
    winners = [outcome for outcome in outcomes if isinstance(outcome, LinkedIdentifier)]
    losers = [outcome for outcome in outcomes if isinstance(outcome, AlreadyExists)]
    assert (len(winners), len(losers)) == (1, 7)
    assert await find(database, caller, MOBILE) == [winners[0].member_id]


@pytest.mark.requirement("MON-13")
async def test_another_tenant_sees_nobody(database: Database) -> None:
    caller, stranger = await make_caller(database), await make_caller(database)
    created = await upsert(database, caller, "1", EMAIL)
    by_id = MemberReference(None, str(created.member_id))
    async with database.connection() as connection:
        found = await find_members(connection, stranger.tenant_id, [EMAIL, by_id])
        members = await fetch_members(connection, stranger.tenant_id, [created.member_id])
        stored = await fetch_identifiers(connection, stranger.tenant_id, [created.member_id])
        page = await fetch_member_page(connection, stranger.tenant_id, PageRequest(10))
    assert (found, members, stored) == ([None, None], {}, {created.member_id: []})
    assert page.items == []
    with pytest.raises(NotFound):
        await link_identifier(database, stranger, LinkIdentifier("1", by_id, MOBILE))
    # The same identifier names another person there.
    assert (await upsert(database, stranger, "1", EMAIL)).member_id != created.member_id


@pytest.mark.requirement("ON3-1")
async def test_ten_thousand_references_are_found_in_order(database: Database) -> None:
    caller = await make_caller(database)
    ids = new_ids(2_000)
    members = [
        NewMember(member_id, (Identifier(IdentifierKind.TWITTER_ID, str(number + 1)),))
        for number, member_id in enumerate(ids)
    ]
    async with database.transaction() as connection:
        await create_members(connection, caller.tenant_id, caller.organization_id, members, AT)
    wanted: list[tuple[IdentifierKind | None, str]] = []
    for number in range(2_000):
        wanted += [
            (IdentifierKind.TWITTER_ID, str(number + 1)),
            (None, str(ids[number])),
            (IdentifierKind.DISCORD_ID, str(number + 1)),
            (None, "nobody"),
            (None, str(ids[number]).upper()),
        ]
    async with database.connection() as connection:
        found = await find_members(connection, caller.tenant_id, wanted)
        assert await find_members(connection, caller.tenant_id, []) == []
    assert found == [
        found_id for member_id in ids for found_id in (member_id, member_id, None, None, None)
    ]


async def test_created_members_come_all_or_none(database: Database) -> None:
    caller = await make_caller(database)
    await upsert(database, caller, "1", EMAIL)
    taken = [NewMember(new_id(), (MOBILE,)), NewMember(new_id(), (EMAIL,))]
    twice = [NewMember(new_id(), (MOBILE,)), NewMember(new_id(), (MOBILE,))]
    for members in (taken, twice):
        with pytest.raises(AlreadyExists):
            async with database.transaction() as connection:
                await create_members(
                    connection, caller.tenant_id, caller.organization_id, members, AT
                )
    async with database.transaction() as connection:
        await create_members(connection, caller.tenant_id, caller.organization_id, [], AT)
        assert await count_members(connection, caller.tenant_id) == 1


@pytest.mark.requirement("ALL-3")
async def test_pages_go_both_ways(database: Database) -> None:
    caller = await make_caller(database)
    ids = new_ids(5)
    async with database.transaction() as connection:
        await create_members(
            connection,
            caller.tenant_id,
            caller.organization_id,
            [NewMember(member_id, ()) for member_id in ids],
            AT,
        )
    newest = ids[::-1]
    async with database.connection() as connection:
        first = await fetch_member_page(connection, caller.tenant_id, PageRequest(2))
        second = await fetch_member_page(
            connection, caller.tenant_id, PageRequest(2, after=newest[1])
        )
        last = await fetch_member_page(connection, caller.tenant_id, PageRequest(2, backwards=True))
        before = await fetch_member_page(
            connection, caller.tenant_id, PageRequest(2, before=newest[3], backwards=True)
        )
    assert first.items == newest[:2]
    assert (first.has_previous, first.has_next) == (False, True)
    assert second.items == newest[2:4]
    assert last.items == newest[3:]
    assert (last.has_previous, last.has_next) == (True, False)
    assert before.items == newest[1:3]


async def test_endless_races_end_in_overload_and_leave_nothing(database: Database) -> None:
    caller = await make_caller(database)
    attempts = 0

    async def lose(connection: Connection, operation: Operation) -> None:
        nonlocal attempts
        attempts += 1
        member = NewMember(operation.id, (EMAIL,))
        await create_members(
            connection, caller.tenant_id, caller.organization_id, [member], operation.at
        )
        raise IdentifierRaced

    request = Request(OperationKind.UPSERT_MEMBER, "1", {}, new_id())
    with pytest.raises(Overloaded):
        await run_once_despite_races(database, caller, request, lose)
    assert attempts == RACES_MAX
    assert await find(database, caller, EMAIL) == [None]
    assert await database.fetch("SELECT FROM operations") == []


async def test_vanished_member_is_a_fault(database: Database) -> None:
    caller = await make_caller(database)
    async with database.transaction() as connection:
        with pytest.raises(RuntimeError, match="was found and is gone"):
            await lock_member(connection, caller.tenant_id, new_id())
