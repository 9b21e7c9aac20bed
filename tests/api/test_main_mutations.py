"""The three main mutations as a partner calls them: over HTTP, word for word from the APIs they replace."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

# As the On3 documentation shows it; the second recipient is nobody here.
DISTRIBUTION: dict[str, Any] = {
    "requestId": "876cc0af-8f20-4163-a8cd-e99674c5e0a4",
    "description": "Rewards for connecting wallets to our website",
    "message": "Well done!",
    "rewards": [
        {
            "recipient": {
                "identifierType": "WALLET_ADDRESS",
                "identifierValue": "0xd03ea8624C8C5987235048901fB614fDcA89b117",
            },
            "currencyReward": {"currencyId": "0681afdf-97bf-47f3-8569-731aeb6b2dd9", "amount": 50},
            "xpReward": 100,
        },
        {
            "recipient": {"identifierType": "EMAIL", "identifierValue": "joe@bloggs.com"},
            "currencyReward": {"currencyId": "0681afdf-97bf-47f3-8569-731aeb6b2dd9", "amount": 50},
            "xpReward": 100,
        },
    ],
}
DISTRIBUTE = """
mutation ($input: DistributeRewardsInput!) {
  distributeRewards(input: $input) {
    __typename
    ... on DistributeRewardsPayload {
      txId requestId processedCount failedCount retryInput idempotentReplay
      results { index identifierType identifierValue status { success code } grant { id } }
      failures { index identifierType identifierValue errors }
    }
    ... on DistributionRejected { requestId errors failures { index errors } }
    ... on IdempotencyConflict { differingFields }
    ... on Error { code path httpStatus }
  }
}
"""
UPSERT = """
mutation ($input: UpsertMemberInput!) {
  upsertMember(input: $input) { ... on UpsertMemberPayload { member { id } } }
}
"""
GRANT = """
mutation ($input: GrantRewardInput!) {
  grantReward(input: $input) {
    __typename
    ... on GrantRewardPayload {
      idempotentReplay
      grant {
        id status clientReference actionCode member { id }
        reward { __typename ... on CustomReward { amount currencyCode actionCode } }
      }
    }
    ... on Error { code path httpStatus }
  }
}
"""


class Partner:
    """Runs operations with the demo partner's token."""

    def __init__(self, client: httpx.AsyncClient, folder: Path) -> None:
        self.client = client
        self.demo: dict[str, Any] = orjson.loads((folder / "demo.json").read_bytes())

    async def run(self, query: str, variables: dict[str, Any], token: str = "partnerToken") -> Any:
        answer = await self.client.post(
            "/graphql",
            json={"query": query, "variables": variables},
            headers={"Authorization": f"Bearer {self.demo[token]}"},
        )
        body = answer.json()
        assert "errors" not in body, body
        (value,) = body["data"].values()
        return value


@pytest.fixture
def partner(demo_client: httpx.AsyncClient, tmp_path: Path) -> Partner:
    return Partner(demo_client, tmp_path)


@pytest.mark.requirement("ON3-1", "ON3-2", "ON3-6")
async def test_published_distribution_runs_word_for_word(partner: Partner) -> None:
    """One recipient is known and one is not, so one line fails and one is applied."""
    answer = await partner.run(DISTRIBUTE, {"input": DISTRIBUTION})
    assert answer["__typename"] == "DistributeRewardsPayload"
    assert answer["txId"].startswith("txn_")
    assert (answer["processedCount"], answer["failedCount"]) == (1, 1)
    assert [result["status"] for result in answer["results"]] == [
        {"success": True, "code": "GRANTED"},
        {"success": False, "code": "RECIPIENT_NOT_FOUND"},
    ]
    assert answer["results"][0]["grant"]["id"].startswith("XT_")
    assert answer["failures"] == [
        {
            "index": 1,
            "identifierType": "EMAIL",
            "identifierValue": "joe@bloggs.com",
            "errors": ["No member has this identifier."],
        }
    ]


@pytest.mark.requirement("ON3-4", "ALL-2")
async def test_distribution_replays_and_conflicts(partner: Partner) -> None:
    """A repeat gets the first answer, its grants included; a change is named."""
    first = await partner.run(DISTRIBUTE, {"input": DISTRIBUTION})
    repeat = await partner.run(DISTRIBUTE, {"input": DISTRIBUTION})
    assert repeat == first | {"idempotentReplay": True}
    changed = await partner.run(DISTRIBUTE, {"input": DISTRIBUTION | {"message": "Better!"}})
    assert changed == {
        "__typename": "IdempotencyConflict",
        "code": "IDEMPOTENCY_CONFLICT",
        "path": ["input", "requestId"],
        "httpStatus": 409,
        "differingFields": ["message"],
    }


@pytest.mark.requirement("ON3-9")
async def test_retry_input_holds_the_failed_lines_and_can_be_sent(partner: Partner) -> None:
    """Once the recipient is known, the same lines go through under a new id, and nobody is paid twice."""
    answer = await partner.run(DISTRIBUTE, {"input": DISTRIBUTION})
    failed_line = deepcopy(DISTRIBUTION["rewards"][1])
    failed_line["currencyReward"]["amount"] = "50"
    assert answer["retryInput"] == {
        "description": DISTRIBUTION["description"],
        "message": DISTRIBUTION["message"],
        "rewards": [failed_line],
    }
    joe = {"identifierType": "EMAIL", "identifierValue": "joe@bloggs.com"}
    await partner.run(UPSERT, {"input": {"requestId": "joe", "identifiers": [joe]}})
    retried = await partner.run(
        DISTRIBUTE, {"input": answer["retryInput"] | {"requestId": "retry-1"}}
    )
    assert (retried["processedCount"], retried["failedCount"]) == (1, 0)
    assert retried["retryInput"] is None


@pytest.mark.requirement("ON3-7")
async def test_distribution_without_a_valid_line_is_rejected_and_its_id_free(
    partner: Partner,
) -> None:
    """Every line's reasons are listed, and the same id works once the input is right."""
    broken = DISTRIBUTION | {"rewards": DISTRIBUTION["rewards"][1:]}
    rejected = await partner.run(DISTRIBUTE, {"input": broken})
    assert rejected == {
        "__typename": "DistributionRejected",
        "code": "DISTRIBUTION_REJECTED",
        "path": ["input", "rewards"],
        "httpStatus": 422,
        "requestId": DISTRIBUTION["requestId"],
        "errors": ["No member has this identifier."],
        "failures": [{"index": 0, "errors": ["No member has this identifier."]}],
    }
    answer = await partner.run(DISTRIBUTE, {"input": DISTRIBUTION})
    assert (answer["processedCount"], answer["idempotentReplay"]) == (1, False)


@pytest.mark.requirement("OWN-3", "OWN-8")
async def test_published_grant_runs_with_a_json_number(partner: Partner) -> None:
    """25.00 arrives as a JSON number and is held exactly."""
    answer = await partner.run(
        GRANT,
        {
            "input": {
                "clientReference": "order-1001",
                "member": {"id": partner.demo["memberId"]},
                "reward": {"custom": {"amount": 25.00}},
                "actionCode": "device.purchase",
            }
        },
    )
    grant = answer["grant"]
    assert grant.pop("id").startswith("XT_")
    assert grant == {
        "status": "CONFIRMED",
        "clientReference": "order-1001",
        "actionCode": "device.purchase",
        "member": {"id": partner.demo["memberId"]},
        "reward": {
            "__typename": "CustomReward",
            "amount": "25.00",
            "currencyCode": "USD",
            "actionCode": "device.purchase",
        },
    }


@pytest.mark.requirement("OWN-1", "ALL-3")
async def test_member_token_cannot_grant(partner: Partner) -> None:
    """A member's own token reads and claims; a grant is refused as FORBIDDEN."""
    headers = {"Authorization": f"Bearer {partner.demo['memberToken']}"}
    variables = {
        "input": {
            "clientReference": "mine",
            "member": {"id": partner.demo["memberId"]},
            "reward": {"custom": {"amount": "100"}},
            "actionCode": "self.service",
        }
    }
    answer = await partner.client.post(
        "/graphql", json={"query": GRANT, "variables": variables}, headers=headers
    )
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
