"""reverseOperation over GraphQL, and what a debt looks like."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.ids import IdKind, encode_id
from gateway.storage.database import Database
from tests.use_cases import distribute, line
from tests.wallets import Wallets, open_wallets

REVERSE = """mutation ($input: ReverseOperationInput!) { reverseOperation(input: $input) { __typename
  ... on ReverseOperationPayload { requestId reversedCount refusedCount idempotentReplay
    results { grantId transactionId status { success code } grant { id status reversalTransactionId } } }
  ... on Error { code path } } }"""
BALANCE = "{ me { balances { posted available held owed } } }"
pytestmark = pytest.mark.requirement("ALL-4")


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def reverse(wallets: Wallets, key: str, target: object, **fields: object) -> Any:
    given = {"input": {"requestId": key, "target": target, **fields}}
    return (await wallets.read(REVERSE, given))["reverseOperation"]


async def test_distribution_is_reversed_with_a_debt(wallets: Wallets) -> None:
    (member,) = await wallets.add_members()
    made = await distribute(wallets.shop, "d-1", line(wallets.shop, member, 50))
    await distribute(wallets.shop, "spend", line(wallets.shop, member, -20))
    target = {"operation": {"kind": "DISTRIBUTE_REWARDS", "key": "d-1"}}
    refused = await reverse(wallets, "r-1", target)
    (grant_id,) = (encode_id(IdKind.GRANT, made_id) for made_id in made.fresh_grants)
    assert refused == {
        "__typename": "ReverseOperationPayload",
        "requestId": "r-1",
        "reversedCount": 0,
        "refusedCount": 1,
        "idempotentReplay": False,
        "results": [
            {
                "grantId": grant_id,
                "transactionId": None,
                "status": {"success": False, "code": "BENEFIT_SPENT"},
                "grant": {"id": grant_id, "status": "CLAIMED", "reversalTransactionId": None},
            }
        ],
    }
    allowed = await reverse(wallets, "r-1", target, policy="ALLOW_DEBT")
    (result,) = allowed["results"]
    assert (allowed["reversedCount"], result["status"]["code"]) == (1, "REVERSED")
    assert result["grant"] == {
        "id": grant_id,
        "status": "REVERSED",
        "reversalTransactionId": result["transactionId"],
    }
    (shown,) = (await wallets.read(BALANCE, None, wallets.as_member(member)))["me"]["balances"]
    assert shown == {"posted": "-20", "available": "-20", "held": "0", "owed": "20"}


async def test_transaction_is_named_by_its_public_id(wallets: Wallets) -> None:
    (member,) = await wallets.add_members()
    made = await distribute(wallets.shop, "d-1", line(wallets.shop, member, 50))
    public_id = encode_id(IdKind.TRANSACTION, made.transaction_id)
    assert (await reverse(wallets, "r-1", {"transactionId": public_id}))["reversedCount"] == 1
    for unknown in ("nonsense", "txn_\x00", "", public_id.upper()):
        assert await reverse(wallets, "r-2", {"transactionId": unknown}) == {
            "__typename": "NotFound",
            "code": "NOT_FOUND",
            "path": ["input", "target", "transactionId"],
        }


async def test_kind_that_grants_nothing_is_invalid(wallets: Wallets) -> None:
    answer = await reverse(wallets, "r-1", {"operation": {"kind": "CREATE_REWARD", "key": "x"}})
    assert answer["__typename"] == "InvalidInput"
    assert answer["path"] == ["input", "target", "operation", "kind"]
