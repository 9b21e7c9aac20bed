"""Members sign in over HTTP: with a token that a partner made, and with one of an issuer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import orjson

from gateway.app import create_application
from gateway.demo.seed import ensure_demo
from gateway.ids import IdKind, decode_id
from gateway.settings import Settings
from gateway.signing_in.issuers import add_issuer, remove_issuer
from gateway.storage.database import Database
from gateway.vendors.addresses import AddressPolicy
from tests.api.toy_http import started
from tests.issuer_server import AUDIENCE, serving_issuer
from tests.waiting import fetch_until

CREATE = """mutation ($input: CreateMemberTokenInput!) { createMemberToken(input: $input) { __typename
  ... on CreateMemberTokenPayload { token credentialId idempotentReplay }
  ... on InvalidInput { fieldErrors { path rule } } ... on Error { code path } } }"""
ME = "{ me { id } }"


async def post(
    client: httpx.AsyncClient, token: str, query: str, **given: object
) -> httpx.Response:
    return await client.post(
        "/graphql",
        json={"query": query, "variables": {"input": given} if given else {}},
        headers={"Authorization": f"Bearer {token}"},
    )


def is_status(status: int) -> Callable[[httpx.Response], bool]:
    return lambda response: response.status_code == status


async def test_partner_makes_a_token_for_a_members_app(
    demo_client: httpx.AsyncClient, tmp_path: Path
) -> None:
    demo = orjson.loads((tmp_path / "demo.json").read_bytes())
    given = {"requestId": "1", "member": {"id": demo["memberId"]}}
    made = (await post(demo_client, demo["partnerToken"], CREATE, **given)).json()
    payload = made["data"]["createMemberToken"]
    assert payload["token"].startswith("rgw_test_")
    found = await post(demo_client, payload["token"], ME)
    assert found.json() == {"data": {"me": {"id": demo["memberId"]}}}
    again = (await post(demo_client, demo["partnerToken"], CREATE, **given)).json()
    assert again["data"]["createMemberToken"] == payload | {"token": None, "idempotentReplay": True}
    refused = await post(demo_client, payload["token"], CREATE, **given)
    assert refused.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    wrong = given | {"requestId": "2", "member": {"mobile": "1"}, "validSeconds": 3_601}
    answer = (await post(demo_client, demo["partnerToken"], CREATE, **wrong)).json()
    rules = {tuple(one["path"]) for one in answer["data"]["createMemberToken"]["fieldErrors"]}
    assert rules == {("input", "validSeconds"), ("input", "member", "mobile")}


async def test_member_calls_with_a_token_of_the_organizations_issuer(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    """The process learns by itself whom to trust, and whom no more."""
    demo = await ensure_demo(database, tmp_path)
    assert demo
    organization_id = decode_id(IdKind.ORGANIZATION, demo["organizationId"])
    assert organization_id is not None
    settings = Settings(development=True, data_dir=tmp_path, issuer_allow_loopback=True)
    application = create_application(settings, database_url)
    with serving_issuer() as server:
        issuer = await add_issuer(
            database,
            AddressPolicy(allow_loopback=True),
            demo["tenantId"],
            organization_id,
            server.url,
            AUDIENCE,
        )
        token = server.token(sub="ext_id98543198")
        async with started(application):
            transport = httpx.ASGITransport(application)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://localhost"
            ) as client:
                found = await fetch_until(partial(post, client, token, ME), is_status(200))
                assert found.json() == {"data": {"me": {"id": demo["memberId"]}}}
                stranger = await post(client, server.token(sub="nobody"), ME)
                assert stranger.status_code == 401
                await remove_issuer(database, demo["tenantId"], issuer.id)
                await fetch_until(partial(post, client, token, ME), is_status(401))
