"""Holds over GraphQL: reserve, capture, release, and what members and partners see of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from gateway.access import Caller
from gateway.ids import IdKind, encode_id
from gateway.storage.database import Database
from tests.use_cases import give_points
from tests.wallets import Wallets, logged_statements, open_wallets

HOLD = "hold { id status amount captured reason expiresAt endedAt transactionId asset { code } member { id } }"
ERRORS = "... on Error { code path } ... on InsufficientBalance { shortfalls { required available missing } }"
RESERVE = f"""mutation ($input: ReserveInput!) {{ reserve(input: $input) {{ __typename
  ... on ReservePayload {{ idempotentReplay {HOLD} }} {ERRORS} }} }}"""
CAPTURE = f"""mutation ($input: CaptureInput!) {{ capture(input: $input) {{ __typename
  ... on CapturePayload {{ idempotentReplay {HOLD} }} ... on Error {{ code path }} }} }}"""
RELEASE = f"""mutation ($input: ReleaseInput!) {{ release(input: $input) {{ __typename
  ... on ReleasePayload {{ idempotentReplay {HOLD} }} ... on Error {{ code path }} }} }}"""
MINE = """query ($status: [HoldStatus!]) { me { holds(status: $status) { totalCount edges { node { id status } } }
  balances { posted held available } } }"""
pytestmark = pytest.mark.requirement("CAP-4", "ALL-3")


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def rich_member(wallets: Wallets) -> UUID:
    (member,) = await wallets.add_members()
    await give_points(wallets.shop, member, 100)
    return member


async def reserve(wallets: Wallets, key: str, member: UUID, amount: str = "30") -> Any:
    given = {
        "requestId": key,
        "member": {"id": encode_id(IdKind.MEMBER, member)},
        "assetId": str(wallets.caller.standard_assets.points_id),
        "amount": amount,
        "expiresInSeconds": 600,
        "reason": "Hotel",
    }
    return (await wallets.read(RESERVE, {"input": given}))["reserve"]


async def test_reserve_capture_and_release(wallets: Wallets) -> None:
    member = await rich_member(wallets)
    placed = await reserve(wallets, "h-1", member)
    hold_id = placed["hold"]["id"]
    assert hold_id.startswith("hold_")
    assert placed["hold"] == {
        "id": hold_id,
        "status": "OPEN",
        "amount": "30",
        "captured": None,
        "reason": "Hotel",
        "expiresAt": placed["hold"]["expiresAt"],
        "endedAt": None,
        "transactionId": None,
        "asset": {"code": "PTS"},
        "member": {"id": encode_id(IdKind.MEMBER, member)},
    }
    taking = {"input": {"requestId": "c-1", "holdId": hold_id, "amount": "12"}}
    taken = (await wallets.read(CAPTURE, taking))["capture"]["hold"]
    assert (taken["status"], taken["captured"]) == ("CAPTURED", "12")
    assert taken["transactionId"].startswith("txn_")
    freeing = {"input": {"requestId": "r-1", "holdId": hold_id}}
    assert (await wallets.read(RELEASE, freeing))["release"] == {
        "__typename": "HoldEnded",
        "code": "HOLD_ENDED",
        "path": ["input", "holdId"],
    }
    other = (await reserve(wallets, "h-2", member))["hold"]["id"]
    freeing = {"input": {"requestId": "r-1", "holdId": other}}
    assert (await wallets.read(RELEASE, freeing))["release"]["hold"]["status"] == "RELEASED"


async def test_too_much_is_a_typed_refusal(wallets: Wallets) -> None:
    member = await rich_member(wallets)
    assert await reserve(wallets, "h-1", member, "130") == {
        "__typename": "InsufficientBalance",
        "code": "INSUFFICIENT_BALANCE",
        "path": ["input", "amount"],
        "shortfalls": [{"required": "130", "available": "100", "missing": "30"}],
    }


async def test_who_sees_which_holds(wallets: Wallets) -> None:
    member = await rich_member(wallets)
    (other,) = await wallets.add_members()
    hold_id = (await reserve(wallets, "h-1", member))["hold"]["id"]

    async def node(caller: Caller) -> Any:
        query = "query ($id: ID!) { node(id: $id) { id } }"
        return (await wallets.read(query, {"id": hold_id}, caller))["node"]

    mine = (await wallets.read(MINE, None, wallets.as_member(member)))["me"]
    assert mine["holds"] == {
        "totalCount": 1,
        "edges": [{"node": {"id": hold_id, "status": "OPEN"}}],
    }
    assert mine["balances"] == [{"posted": "100", "held": "30", "available": "70"}]
    ended = await wallets.read(MINE, {"status": ["EXPIRED", "CAPTURED"]}, wallets.as_member(member))
    assert ended["me"]["holds"] == {"totalCount": 0, "edges": []}
    assert await node(wallets.caller) == await node(wallets.as_member(member)) == {"id": hold_id}
    assert await node(wallets.shop.neighbor) is await node(wallets.as_member(other)) is None


async def test_malformed_ids_are_not_found(wallets: Wallets) -> None:
    for unknown in ("", "hold_", "hold_\x00", "nonsense"):
        taking = {"input": {"requestId": "c-1", "holdId": unknown}}
        assert (await wallets.read(CAPTURE, taking))["capture"]["code"] == "NOT_FOUND"


async def test_holds_of_many_members_take_one_statement(wallets: Wallets) -> None:
    for number in range(5):
        await reserve(wallets, f"h-{number}", await rich_member(wallets))
    query = "{ members { edges { node { holds { edges { node { id asset { code } } } } } } } }"
    await wallets.read(query)
    with logged_statements(wallets.database) as statements:
        data = await wallets.read(query)
    assert len(statements) == 2
    assert [len(edge["node"]["holds"]["edges"]) for edge in data["members"]["edges"]] == [1] * 5


async def test_every_broken_rule_is_listed(wallets: Wallets) -> None:
    given = {
        "requestId": "",
        "member": {"email": "nobody"},
        "assetId": str(wallets.caller.standard_assets.points_id),
        "amount": "0",
        "expiresInSeconds": 0,
    }
    query = RESERVE.replace(
        "... on Error { code path }", "... on InvalidInput { fieldErrors { path } }"
    )
    answer = (await wallets.read(query, {"input": given}))["reserve"]
    assert [error["path"] for error in answer["fieldErrors"]] == [
        ["input", "member", "email"],
        ["input", "requestId"],
        ["input", "amount"],
        ["input", "expiresInSeconds"],
    ]
