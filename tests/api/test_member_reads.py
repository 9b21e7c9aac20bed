"""Who is read: oneself, a member by any identifier, everybody; and what became of a key."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from gateway.access import PARTNER_SCOPES, Caller, Scope
from gateway.errors import Forbidden, InvalidInput, Unauthenticated
from gateway.ids import IdKind, encode_id, new_id
from gateway.operations.model import OperationKind, Request
from gateway.operations.once import run_once
from gateway.rewards.types.points import PointsDraft
from gateway.storage.database import Database
from tests.wallets import Wallets, open_wallets

MEMBER = """query ($by: MemberRef!, $asset: ID = "") { member(by: $by) {
  id displayName createdAt externalId identifiers { identifierType identifierValue }
  balances { posted } balance(assetId: $asset) { posted available held } } }"""
OPERATION = """query ($kind: OperationKind!, $key: String!) { operation(kind: $kind, key: $key) {
  kind key found id createdAt isComplete safeToRetry advice } }"""


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def refusal(
    wallets: Wallets, query: str, variables: dict[str, Any] | None, caller: Caller | None
) -> BaseException | None:
    """Return what a query is refused with."""
    _, (error, *_) = await wallets.run(query, variables, caller)
    return error.original_error


@pytest.mark.requirement("ALL-3")
async def test_member_token_reads_itself(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    data = await wallets.read("{ me { id } }", caller=wallets.as_member(member_id))
    assert data == {"me": {"id": encode_id(IdKind.MEMBER, member_id)}}
    assert await wallets.read("{ me { id } }") == {"me": None}


@pytest.mark.requirement("CAP-1")
async def test_member_is_found_by_any_name(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    reward = await wallets.shop.create_reward(PointsDraft(Decimal(10)))
    await wallets.grant(member_id, reward)
    points = str(wallets.caller.standard_assets.points_id)
    public_id, external_id = encode_id(IdKind.MEMBER, member_id), f"customer-{member_id}"
    for by in ({"id": public_id}, {"externalId": external_id}):
        data = await wallets.read(MEMBER, {"by": by, "asset": points.upper()})
        assert data["member"] == {
            "id": public_id,
            "displayName": "Joe",
            "createdAt": "2026-11-23T09:00:00Z",
            "externalId": external_id,
            "identifiers": [{"identifierType": "EXTERNAL_ID", "identifierValue": external_id}],
            "balances": [{"posted": "10"}],
            "balance": {"posted": "10", "available": "10", "held": "0"},
        }
    data = await wallets.read(MEMBER, {"by": {"id": public_id}, "asset": str(new_id())})
    assert data["member"]["balance"] is None


@pytest.mark.parametrize(
    "by",
    [
        {"id": "mem_x"},
        {"id": "mem_01a20712-c409-7ff2-82b0-0984fa53a871"},
        {"externalId": "nobody"},
        {"id": ""},
    ],
)
async def test_unknown_member_is_null(wallets: Wallets, by: dict[str, str]) -> None:
    assert await wallets.read(MEMBER, {"by": by}) == {"member": None}


@pytest.mark.requirement("MON-13")
async def test_member_of_another_tenant_is_null(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    stranger = replace(wallets.caller, tenant_id=new_id())
    by = {"id": encode_id(IdKind.MEMBER, member_id)}
    assert await wallets.read(MEMBER, {"by": by}, stranger) == {"member": None}


async def test_member_token_finds_only_itself(wallets: Wallets) -> None:
    joe, ann = await wallets.add_members(2)
    query = "query ($by: MemberRef!) { member(by: $by) { id } }"
    caller = wallets.as_member(joe)
    own, others = ({"externalId": f"customer-{id}"} for id in (joe, ann))
    assert (await wallets.read(query, {"by": own}, caller))["member"] is not None
    assert (await wallets.read(query, {"by": others}, caller))["member"] is None


async def test_wrong_identifier_is_named(wallets: Wallets) -> None:
    error = await refusal(wallets, MEMBER, {"by": {"email": "nonsense"}}, wallets.caller)
    assert isinstance(error, InvalidInput)
    assert error.path == ("by", "email")


READS = [
    "{ me { id } }",
    '{ member(by: {externalId: "x"}) { id } }',
    "{ members { totalCount } }",
    "{ grants { totalCount } }",
    "{ grantTotals(groupBy: DAY) { key } }",
    '{ operation(kind: GRANT_REWARD, key: "x") { found } }',
    '{ node(id: "x") { id } }',
]


@pytest.mark.requirement("OWN-1")
@pytest.mark.parametrize("query", READS)
async def test_every_read_needs_a_credential(wallets: Wallets, query: str) -> None:
    assert isinstance(await refusal(wallets, query, None, None), Unauthenticated)


@pytest.mark.requirement("OWN-1")
@pytest.mark.parametrize("query", [READS[1], READS[2], READS[3], READS[4], READS[6]])
async def test_reads_need_the_read_scope(wallets: Wallets, query: str) -> None:
    others = replace(wallets.caller, scopes=frozenset(PARTNER_SCOPES - {Scope.READ}))
    assert isinstance(await refusal(wallets, query, None, others), Forbidden)


async def test_member_token_cannot_list_members(wallets: Wallets) -> None:
    (member_id,) = await wallets.add_members()
    caller = wallets.as_member(member_id)
    assert isinstance(await refusal(wallets, READS[2], None, caller), Forbidden)


@pytest.mark.parametrize(
    "field",
    [
        "balances { posted }",
        'balance(assetId: "x") { posted }',
        "grants { totalCount }",
        "ledgerEntries { totalCount }",
        "notifications { totalCount }",
        "displayName",
        "identifiers { identifierValue }",
    ],
)
async def test_what_a_member_has_needs_the_read_scope_on_any_way_there(
    wallets: Wallets, field: str
) -> None:
    # A grant in a mutation's payload leads to its member; here, so does a token that is a member's and may only claim.
    (member_id,) = await wallets.add_members()
    caller = replace(wallets.as_member(member_id), scopes=frozenset({Scope.CLAIM}))
    error = await refusal(wallets, f"{{ me {{ {field} }} }}", None, caller)
    assert isinstance(error, Forbidden)


@pytest.mark.requirement("ALL-4")
async def test_operation_is_found_by_its_key(wallets: Wallets) -> None:
    request = Request(OperationKind.GRANT_REWARD, "ref-1", {}, new_id())

    async def work(*_: object) -> dict[str, str]:
        return {"done": "yes"}

    await run_once(wallets.database, wallets.caller, request, work)
    variables = {"kind": "GRANT_REWARD", "key": "ref-1"}
    found = (await wallets.read(OPERATION, variables))["operation"]
    created_at = datetime.fromisoformat(found.pop("createdAt"))
    assert abs((datetime.now(UTC) - created_at).total_seconds()) < 60
    assert found.pop("advice").startswith("It was done.")
    assert found == {
        "kind": "GRANT_REWARD",
        "key": "ref-1",
        "found": True,
        "id": encode_id(IdKind.OPERATION, request.operation_id),
        "isComplete": True,
        "safeToRetry": True,
    }


@pytest.mark.requirement("ALL-2", "ALL-4")
async def test_operation_of_another_partner_kind_or_key_is_not_found(wallets: Wallets) -> None:
    request = Request(OperationKind.GRANT_REWARD, "ref-1", {}, new_id())

    async def work(*_: object) -> None:
        return None

    await run_once(wallets.database, wallets.caller, request, work)
    same = {"kind": "GRANT_REWARD", "key": "ref-1"}
    for variables, caller in (
        (same | {"key": "ref-2"}, wallets.caller),
        (same | {"kind": "ISSUE_REWARDS"}, wallets.caller),
        (same, wallets.shop.neighbor),
        (same, replace(wallets.caller, tenant_id=new_id())),
    ):
        found = (await wallets.read(OPERATION, variables, caller))["operation"]
        assert not found["found"]
        assert not found["isComplete"]
        assert found["id"] is found["createdAt"] is None
        assert found["advice"].startswith("Nothing was done under this key")


@pytest.mark.parametrize("key", ["", "x" * 513, "a\x00"])
async def test_key_that_cannot_be_is_refused(wallets: Wallets, key: str) -> None:
    variables = {"kind": "GRANT_REWARD", "key": key}
    error = await refusal(wallets, OPERATION, variables, wallets.caller)
    assert isinstance(error, InvalidInput)
    assert error.path == ("key",)
