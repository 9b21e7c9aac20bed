"""upsertMember, linkIdentifier and createAsset through GraphQL: payloads, every broken rule by path, conflicts."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.access import Caller, Scope
from gateway.errors import Forbidden, Unauthenticated
from gateway.ids import new_id
from gateway.storage.database import Database
from gateway.tenants.founding import create_tenant
from resolvers.context import Context
from resolvers.schema import build_schema
from tests.toy_operations import InterpretedSchema

SCHEMA = build_schema(InterpretedSchema)

ERRORS = """
    ... on Error { code httpStatus path message }
    ... on InvalidInput { fieldErrors { path rule } }
    ... on IdempotencyConflict { differingFields }
"""
MEMBER = "member { id displayName externalId identifiers { identifierType identifierValue } }"
UPSERT = f"""mutation ($input: UpsertMemberInput!) {{ result: upsertMember(input: $input) {{
    __typename ... on UpsertMemberPayload {{ wasCreated idempotentReplay {MEMBER} }} {ERRORS} }} }}"""
LINK = f"""mutation ($input: LinkIdentifierInput!) {{ result: linkIdentifier(input: $input) {{
    __typename ... on LinkIdentifierPayload {{ idempotentReplay {MEMBER} }} {ERRORS} }} }}"""
CREATE_ASSET = f"""mutation ($input: CreateAssetInput!) {{ result: createAsset(input: $input) {{
    __typename ... on CreateAssetPayload {{ idempotentReplay asset {{ id code name kind decimals }} }}
    {ERRORS} }} }}"""

GUID = "0681afdf-97bf-47f3-8569-731aeb6b2dd9"
EMAIL = {"identifierType": "EMAIL", "identifierValue": "Joe@Bloggs.com"}
WALLET = {
    "identifierType": "WALLET_ADDRESS",
    "identifierValue": "0xd03ea8624C8C5987235048901fB614fDcA89b117",
}
EXTERNAL = {"identifierType": "EXTERNAL_ID", "identifierValue": "customer-1"}


@pytest.fixture
async def caller(database: Database) -> Caller:
    founded = await create_tenant(database, "Acme", "Acme Oslo")
    return Caller(
        founded.tenant.id,
        founded.organization.id,
        new_id(),
        frozenset({Scope.MEMBERS, Scope.CATALOG, Scope.READ}),
        founded.tenant.standard_assets,
    )


async def execute(
    database: Database, caller: Caller | None, document: str, **given: Any
) -> dict[str, Any]:
    context = Context(database, caller, "request")
    result = await SCHEMA.execute(document, {"input": given}, context_value=context)
    if result.errors:
        raise result.errors[0].original_error or result.errors[0]
    assert result.data is not None
    answer: dict[str, Any] = result.data["result"]
    return answer


@pytest.mark.requirement("ON3-1", "ALL-2")
async def test_member_is_created_extended_and_replayed(database: Database, caller: Caller) -> None:
    created = await execute(
        database, caller, UPSERT, requestId="1", identifiers=[EMAIL, EXTERNAL], displayName="Joe"
    )
    member = created["member"]
    assert created == {
        "__typename": "UpsertMemberPayload",
        "wasCreated": True,
        "idempotentReplay": False,
        "member": {
            "id": member["id"],
            "displayName": "Joe",
            "externalId": "customer-1",
            "identifiers": [
                {"identifierType": "EMAIL", "identifierValue": "joe@bloggs.com"},
                {"identifierType": "EXTERNAL_ID", "identifierValue": "customer-1"},
            ],
        },
    }
    linked = await execute(
        database, caller, LINK, requestId="2", member={"email": "JOE@bloggs.com"}, identifier=WALLET
    )
    assert linked["member"]["id"] == member["id"]
    assert linked["member"]["identifiers"][-1] == {
        "identifierType": "WALLET_ADDRESS",
        "identifierValue": "0xd03ea8624c8c5987235048901fb614fdca89b117",
    }
    # Another spelling of the same identifiers is the same request.
    again = await execute(
        database,
        caller,
        UPSERT,
        requestId="1",
        identifiers=[EMAIL | {"identifierValue": "JOE@BLOGGS.COM"}, EXTERNAL],
        displayName="Joe",
    )
    assert (again["wasCreated"], again["idempotentReplay"]) == (True, True)
    assert again["member"]["id"] == member["id"]


async def test_every_broken_rule_is_listed_by_path(database: Database, caller: Caller) -> None:
    refused = await execute(
        database,
        caller,
        UPSERT,
        requestId="\x00",
        identifiers=[
            EMAIL,
            WALLET | {"identifierValue": "0x1"},
            EXTERNAL | {"identifierValue": ""},
        ],
        displayName="\ud800",
    )
    assert (refused["__typename"], refused["code"]) == ("InvalidInput", "INVALID_INPUT")
    assert refused["fieldErrors"] == [
        {"path": ["input", "requestId"], "rule": "characters"},
        {"path": ["input", "displayName"], "rule": "characters"},
        {"path": ["input", "identifiers", "1", "identifierValue"], "rule": "identifier"},
        {"path": ["input", "identifiers", "2", "identifierValue"], "rule": "identifier"},
    ]
    refused = await execute(
        database,
        caller,
        LINK,
        requestId="",
        member={"mobile": "123"},
        identifier=EXTERNAL | {"identifierValue": "\x00"},
    )
    assert [error["path"] for error in refused["fieldErrors"]] == [
        ["input", "requestId"],
        ["input", "member", "mobile"],
        ["input", "identifier", "identifierValue"],
    ]
    refused = await execute(
        database,
        caller,
        CREATE_ASSET,
        requestId="1",
        id="x",
        code="",
        name="n",
        kind="CASH",
        decimals=9,
    )
    assert [error["path"][-1] for error in refused["fieldErrors"]] == ["id", "code", "decimals"]
    assert await database.fetch("SELECT FROM operations") == []


async def test_business_failures_are_typed(database: Database, caller: Caller) -> None:
    await execute(database, caller, UPSERT, requestId="1", identifiers=[EMAIL])
    await execute(database, caller, UPSERT, requestId="2", identifiers=[WALLET])
    conflict = await execute(database, caller, UPSERT, requestId="3", identifiers=[EMAIL, WALLET])
    assert (conflict["__typename"], conflict["path"], conflict["httpStatus"]) == (
        "Conflict",
        ["input", "identifiers", "1"],
        409,
    )
    reused = await execute(database, caller, UPSERT, requestId="1", identifiers=[WALLET])
    assert (reused["__typename"], reused["differingFields"]) == (
        "IdempotencyConflict",
        ["identifiers"],
    )
    for member in ({"id": "mem_nobody"}, {"twitterId": "12"}):
        unknown = await execute(
            database, caller, LINK, requestId="4", member=member, identifier=EXTERNAL
        )
        assert (unknown["__typename"], unknown["path"]) == ("NotFound", ["input", "member"])


@pytest.mark.requirement("ON3-3")
async def test_asset_is_created_with_its_guid(database: Database, caller: Caller) -> None:
    given = {"id": GUID.upper(), "code": "GOLD", "name": "Gold", "kind": "CURRENCY"}
    created = await execute(database, caller, CREATE_ASSET, requestId="1", **given)
    asset = given | {"id": GUID, "decimals": 0}
    assert created == {
        "__typename": "CreateAssetPayload",
        "idempotentReplay": False,
        "asset": asset,
    }
    again = await execute(database, caller, CREATE_ASSET, requestId="1", **given)
    assert again == created | {"idempotentReplay": True}
    taken = await execute(database, caller, CREATE_ASSET, requestId="2", **given)
    assert (taken["__typename"], taken["path"]) == ("Conflict", ["input", "id"])


@pytest.mark.requirement("OWN-1")
async def test_scope_is_needed(database: Database, caller: Caller) -> None:
    reader = Caller(
        caller.tenant_id,
        caller.organization_id,
        caller.partner_id,
        frozenset({Scope.READ}),
        caller.standard_assets,
    )
    calls: list[tuple[str, dict[str, Any]]] = [
        (UPSERT, {"identifiers": [EMAIL]}),
        (LINK, {"member": {"email": "joe@bloggs.com"}, "identifier": WALLET}),
        (CREATE_ASSET, {"code": "GOLD", "name": "Gold", "kind": "CURRENCY"}),
        # Broken input comes second.
        (UPSERT, {"identifiers": [WALLET | {"identifierValue": ""}]}),
    ]
    for document, given in calls:
        with pytest.raises(Forbidden):
            await execute(database, reader, document, requestId="1", **given)
        with pytest.raises(Unauthenticated):
            await execute(database, None, document, requestId="1", **given)
    assert await database.fetch("SELECT FROM members") == []
    assert await database.fetch("SELECT FROM operations") == []
