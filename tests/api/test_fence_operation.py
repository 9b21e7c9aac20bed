"""fenceOperation and operation, as a partner sees them after a time-out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.ids import IdKind, encode_id, new_id
from gateway.storage.database import Database
from tests.wallets import Wallets, open_wallets

FENCE = """mutation ($input: FenceOperationInput!) { fenceOperation(input: $input) { __typename
  ... on FenceOperationPayload { fenced operation { state found isComplete safeToRetry safeToUseNewKey advice } }
  ... on InvalidInput { code fieldErrors { path rule } } } }"""
LOOK_UP = """query ($key: String!) { operation(kind: GRANT_REWARD, key: $key) {
  state found isComplete safeToRetry safeToUseNewKey id createdAt credentialId } }"""
GRANT = """mutation ($input: GrantRewardInput!) { grantReward(input: $input) { __typename
  ... on IdempotencyConflict { code httpStatus path differingFields } } }"""
pytestmark = pytest.mark.requirement("ALL-4")


@pytest.fixture
async def wallets(database: Database) -> Wallets:
    return await open_wallets(database)


async def grant(wallets: Wallets, key: str) -> dict[str, object]:
    (member_id,) = await wallets.add_members()
    given = {
        "clientReference": key,
        "member": {"id": encode_id(IdKind.MEMBER, member_id)},
        "reward": {"custom": {"amount": "5.00"}},
        "actionCode": "signup",
    }
    answer: dict[str, object] = (await wallets.read(GRANT, {"input": given}))["grantReward"]
    return answer


async def test_unknown_key_is_safe_to_retry_and_not_to_replace(wallets: Wallets) -> None:
    found = (await wallets.read(LOOK_UP, {"key": "k" * 512}))["operation"]
    assert found == {
        "state": "UNKNOWN",
        "found": False,
        "isComplete": False,
        "safeToRetry": True,
        "safeToUseNewKey": False,
        "id": None,
        "createdAt": None,
        "credentialId": None,
    }


async def test_operation_names_the_credential_that_sent_it(wallets: Wallets) -> None:
    """Another credential of the same partner finds the key, and who used it."""
    sender, other = wallets.caller, replace(wallets.caller, credential_id=new_id())
    await grant(wallets, "sent")
    found = (await wallets.read(LOOK_UP, {"key": "sent"}, other))["operation"]
    assert found["credentialId"] == str(sender.credential_id)
    rows = await wallets.database.fetch("SELECT credential_id FROM ledger_transactions")
    assert [row["credential_id"] for row in rows] == [sender.credential_id]


async def test_fenced_key_answers_a_typed_conflict(wallets: Wallets) -> None:
    given = {"input": {"kind": "GRANT_REWARD", "key": "late"}}
    answer = (await wallets.read(FENCE, given))["fenceOperation"]
    assert answer["__typename"] == "FenceOperationPayload"
    assert answer["fenced"] is True
    assert answer["operation"]["state"] == "FENCED"
    assert answer["operation"]["safeToUseNewKey"] is True
    assert (await wallets.read(LOOK_UP, {"key": "late"}))["operation"]["state"] == "FENCED"
    assert await grant(wallets, "late") == {
        "__typename": "IdempotencyConflict",
        "code": "OPERATION_FENCED",
        "httpStatus": 409,
        "path": ["input", "clientReference"],
        "differingFields": [],
    }


async def test_used_key_is_not_fenced(wallets: Wallets) -> None:
    await grant(wallets, "done")
    given = {"input": {"kind": "GRANT_REWARD", "key": "done"}}
    answer = (await wallets.read(FENCE, given))["fenceOperation"]
    assert answer["fenced"] is False
    assert answer["operation"]["state"] == "COMPLETE"
    assert answer["operation"]["isComplete"] is True


async def test_empty_key_is_invalid(wallets: Wallets) -> None:
    given = {"input": {"kind": "GRANT_REWARD", "key": ""}}
    assert (await wallets.read(FENCE, given))["fenceOperation"] == {
        "__typename": "InvalidInput",
        "code": "INVALID_INPUT",
        "fieldErrors": [{"path": ["input", "key"], "rule": "required"}],
    }
