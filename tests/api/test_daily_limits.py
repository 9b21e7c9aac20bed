"""What a client sees of a credential's daily limit."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import orjson

from gateway.access import Scope
from gateway.storage.database import Database
from gateway.tenants.credentials import authenticate, create_partner_token
from gateway.tenants.daily_limits import check_daily_limits, set_daily_limits

GRANT = """
mutation ($input: GrantRewardInput!) {
  grantReward(input: $input) {
    __typename
    ... on Error { code message path httpStatus }
    ... on LimitExceeded { assetCode dailyMaximum left resetsAt }
  }
}
"""


async def make_limited_token(database: Database, folder: Path) -> str:
    demo = orjson.loads((folder / "demo.json").read_bytes())
    partner = await authenticate(database, demo["partnerToken"])
    tenant_id = partner.tenant_id
    created = await create_partner_token(
        database, tenant_id, partner.organization_id, "limited", [Scope.GRANT]
    )
    limits = await check_daily_limits(database, tenant_id, {"USD": Decimal("30.00")})
    await set_daily_limits(database, tenant_id, created.credential.id, limits)
    return created.text


async def test_limit_is_a_typed_answer(
    demo_client: httpx.AsyncClient, database: Database, tmp_path: Path
) -> None:
    token = await make_limited_token(database, tmp_path)

    async def grant(reference: str, amount: str) -> dict[str, Any]:
        given = {
            "clientReference": reference,
            "member": {"email": "ada@example.com"},
            "reward": {"custom": {"amount": amount}},
            "actionCode": "a.b",
        }
        answer = await demo_client.post(
            "/graphql",
            json={"query": GRANT, "variables": {"input": given}},
            headers={"Authorization": f"Bearer {token}"},
        )
        answered: dict[str, Any] = answer.json()["data"]["grantReward"]
        return answered

    assert (await grant("limit-1", "25.50"))["__typename"] == "GrantRewardPayload"
    refused = await grant("limit-2", "5.00")
    assert refused.pop("resetsAt").endswith("T00:00:00Z")
    assert refused == {
        "__typename": "LimitExceeded",
        "code": "LIMIT_EXCEEDED",
        "message": "This credential's daily limit of USD has 4.50 left.",
        "path": [],
        "httpStatus": 429,
        "assetCode": "USD",
        "dailyMaximum": "30.00",
        "left": "4.50",
    }
    assert (await grant("limit-2", "4.50"))["__typename"] == "GrantRewardPayload"
