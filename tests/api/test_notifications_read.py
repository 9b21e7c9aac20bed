"""A member's messages: unread ones, and marking them as read (ON3-5)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from gateway.access import Caller, Scope
from gateway.ids import IdKind, encode_id, new_id
from gateway.storage.database import Database
from tests.use_cases import distribute, line, snapshot
from tests.wallets import Wallets, logged_statements, open_wallets

MARK = """mutation ($input: MarkNotificationsReadInput!) { markNotificationsRead(input: $input) { __typename
  ... on MarkNotificationsReadPayload { markedCount idempotentReplay }
  ... on Error { code path } ... on InvalidInput { fieldErrors { path rule } }
  ... on IdempotencyConflict { differingFields } } }"""
UNREAD = """{ me { notifications(unread: true) { totalCount edges { node { id text readAt } } }
  all: notifications { totalCount edges { node { id readAt } } } } }"""
pytestmark = pytest.mark.requirement("ON3-5", "ALL-3")


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def notify(wallets: Wallets, count: int = 3) -> tuple[UUID, Caller]:
    (member_id,) = await wallets.add_members()
    for number in range(1, count + 1):
        await distribute(wallets.shop, str(new_id()), line(wallets.shop, member_id, number))
    return member_id, wallets.as_member(member_id)


async def mark(wallets: Wallets, caller: Caller, key: str, **which: object) -> Any:
    given = {"input": {"requestId": key, "notifications": which}}
    return (await wallets.read(MARK, given, caller))["markNotificationsRead"]


async def ids_of(wallets: Wallets, caller: Caller) -> list[str]:
    edges = (await wallets.read(UNREAD, None, caller))["me"]["notifications"]["edges"]
    return [edge["node"]["id"] for edge in edges]


async def test_some_are_marked_and_the_others_stay_unread(wallets: Wallets) -> None:
    _, caller = await notify(wallets)
    third, second, first = await ids_of(wallets, caller)
    answer = await mark(wallets, caller, "r-1", ids=[first, third])
    assert answer == {
        "__typename": "MarkNotificationsReadPayload",
        "markedCount": 2,
        "idempotentReplay": False,
    }
    me = (await wallets.read(UNREAD, None, caller))["me"]
    assert me["notifications"]["totalCount"] == 1
    assert [edge["node"]["id"] for edge in me["notifications"]["edges"]] == [second]
    assert me["all"]["totalCount"] == 3
    assert [edge["node"]["readAt"] is None for edge in me["all"]["edges"]] == [False, True, False]


async def test_all_are_marked_and_those_read_before_keep_their_time(wallets: Wallets) -> None:
    _, caller = await notify(wallets)
    *_, first = await ids_of(wallets, caller)
    await mark(wallets, caller, "r-1", ids=[first])
    before = (await wallets.read(UNREAD, None, caller))["me"]["all"]["edges"][-1]["node"]
    assert (await mark(wallets, caller, "r-2", all=True))["markedCount"] == 2
    me = (await wallets.read(UNREAD, None, caller))["me"]
    assert me["notifications"]["totalCount"] == 0
    assert me["all"]["edges"][-1]["node"] == before


async def test_repeat_is_a_replay_and_marks_nothing_new(wallets: Wallets) -> None:
    member_id, caller = await notify(wallets, 1)
    await mark(wallets, caller, "r-1", all=True)
    await distribute(wallets.shop, "later", line(wallets.shop, member_id, 9))
    answer = await mark(wallets, caller, "r-1", all=True)
    assert (answer["markedCount"], answer["idempotentReplay"]) == (1, True)
    assert len(await ids_of(wallets, caller)) == 1
    changed = await mark(wallets, caller, "r-1", ids=await ids_of(wallets, caller))
    assert changed["__typename"] == "IdempotencyConflict"
    assert changed["differingFields"] == ["notificationIds"]


async def test_somebody_elses_message_marks_nothing(wallets: Wallets) -> None:
    _, caller = await notify(wallets, 1)
    _, other = await notify(wallets, 1)
    (own,), (foreign,) = await ids_of(wallets, caller), await ids_of(wallets, other)
    before = await snapshot(wallets.database)
    for unknown in (foreign, encode_id(IdKind.NOTIFICATION, new_id()), "ntf_\x00", "nonsense"):
        answer = await mark(wallets, caller, "r-1", ids=[own, unknown])
        assert answer["__typename"] == "NotFound"
        assert answer["path"] == ["input", "notifications", "ids", "1"]
    assert await snapshot(wallets.database) == before


@pytest.mark.parametrize(
    ("which", "path", "rule"),
    [
        ({"ids": []}, "ids", "count"),
        ({"ids": ["ntf_x"] * 101}, "ids", "count"),
        ({"all": False}, "all", "true"),
    ],
)
async def test_wrong_selection_is_invalid(
    wallets: Wallets, which: dict[str, object], path: str, rule: str
) -> None:
    _, caller = await notify(wallets, 1)
    before = await snapshot(wallets.database)
    answer = await mark(wallets, caller, "r-1", **which)
    assert answer["fieldErrors"] == [{"path": ["input", "notifications", path], "rule": rule}]
    assert await snapshot(wallets.database) == before


async def test_partner_marks_nothing(wallets: Wallets) -> None:
    await notify(wallets, 1)
    given = {"input": {"requestId": "r-1", "notifications": {"all": True}}}
    _, errors = await wallets.run(MARK, given, wallets.caller)
    assert [error.message for error in errors] == [
        "This credential lacks the scope that markNotificationsRead needs: member. Nothing was done."
    ]


async def test_member_scope_without_a_member_marks_nothing(wallets: Wallets) -> None:
    nobody = replace(wallets.caller, scopes=frozenset({Scope.MEMBER}))
    given = {"input": {"requestId": "r-1", "notifications": {"all": True}}}
    _, errors = await wallets.run(MARK, given, nobody)
    assert [error.message for error in errors] == [
        "Only a member's own token can read their messages."
    ]


async def test_unread_page_takes_one_statement(wallets: Wallets) -> None:
    _, caller = await notify(wallets, 3)
    query = "{ me { notifications(unread: true) { edges { node { id } } } } }"
    with logged_statements(wallets.database) as statements:
        await wallets.read(query, None, caller)
    assert len(statements) == 1
