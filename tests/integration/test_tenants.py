"""Tenants are founded with their standard assets; assets are created once and never change."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from gateway.access import Caller, Scope
from gateway.errors import AlreadyExists, Forbidden, InvalidInput, NotFound
from gateway.ids import new_id
from gateway.ledger.assets import Asset, AssetKind
from gateway.operations.model import IdempotencyConflict
from gateway.storage.database import Database
from gateway.tenants import assets as tenant_assets
from gateway.tenants.assets import CreateAsset, CreatedAsset, create_asset, load_assets
from gateway.tenants.founding import create_organization, create_tenant
from gateway.tenants.model import AssetDescription
from gateway.tenants.store import fetch_assets, fetch_organizations, fetch_tenant

GUID = UUID("0681afdf-97bf-47f3-8569-731aeb6b2dd9")
GOLD = CreateAsset("1", "GOLD", "Gold coins", AssetKind.CURRENCY, 0, GUID)


async def make_caller(database: Database) -> Caller:
    founded = await create_tenant(database, "Acme", "Acme Oslo")
    return Caller(
        founded.tenant.id,
        founded.organization.id,
        new_id(),
        frozenset({Scope.CATALOG}),
        founded.tenant.standard_assets,
    )


async def test_tenant_has_standard_assets_and_organization(database: Database) -> None:
    miles = AssetDescription("MILES", "Miles", AssetKind.POINTS, 0)
    founded = await create_tenant(database, "Acme", "Acme Oslo", [miles])
    tenant = founded.tenant
    second = await create_organization(database, tenant.id, "Acme Bergen")
    async with database.connection() as connection:
        assert await fetch_tenant(connection, tenant.id) == tenant
        organizations = await fetch_organizations(connection, tenant.id)
        assets = await fetch_assets(connection, tenant.id)
    assert list(organizations.values()) == [founded.organization, second]
    assert tuple(assets.values()) == founded.assets
    assert list(assets.values()) == [
        Asset(tenant.standard_assets.points_id, "PTS", "Points", AssetKind.POINTS, 0),
        Asset(
            tenant.standard_assets.experience_id, "XP", "Experience points", AssetKind.EXPERIENCE, 0
        ),
        Asset(tenant.standard_assets.cash_id, "USD", "US dollars", AssetKind.CASH, 2),
        Asset(founded.assets[3].id, "MILES", "Miles", AssetKind.POINTS, 0),
    ]


async def test_refused_tenant_leaves_nothing(database: Database) -> None:
    twice = AssetDescription("USD", "Another dollar", AssetKind.CASH, 2)
    with pytest.raises(AlreadyExists):
        await create_tenant(database, "Acme", "Acme Oslo", [twice])
    with pytest.raises(InvalidInput) as refusal:
        await create_tenant(database, "A\x00", "")
    assert [error.path for error in refusal.value.errors] == [("name",), ("organizationName",)]
    assert await database.fetch("SELECT FROM tenants") == []
    assert await database.fetch("SELECT FROM assets") == []


async def test_organization_needs_a_tenant_and_a_name(database: Database) -> None:
    with pytest.raises(NotFound):
        await create_organization(database, new_id(), "Acme")
    with pytest.raises(InvalidInput):
        await create_organization(database, new_id(), " ")


@pytest.mark.requirement("ON3-3")
async def test_asset_keeps_the_guid_its_creator_chose(database: Database) -> None:
    caller = await make_caller(database)
    created = await create_asset(database, caller, GOLD)
    asset = Asset(
        GUID, "GOLD", "Gold coins", AssetKind.CURRENCY, 0, organization_id=caller.organization_id
    )
    assert created == CreatedAsset(asset, idempotent_replay=False)
    async with database.connection() as connection:
        assert await load_assets(connection, caller.tenant_id, [GUID, new_id()]) == {GUID: asset}


@pytest.mark.requirement("ALL-2")
async def test_asset_replay_returns_the_first_id(database: Database) -> None:
    caller = await make_caller(database)
    without_id = replace(GOLD, asset_id=None)
    first, *others = await asyncio.gather(
        *(create_asset(database, caller, without_id) for _ in range(6))
    )
    assert {outcome.asset for outcome in others} == {first.asset}
    assert [outcome.idempotent_replay for outcome in (first, *others)].count(False) == 1
    with pytest.raises(IdempotencyConflict) as conflict:
        await create_asset(database, caller, replace(without_id, scale=2))
    assert conflict.value.differing_fields == ("decimals",)


async def test_taken_id_and_code_are_conflicts(database: Database) -> None:
    caller = await make_caller(database)
    await create_asset(database, caller, GOLD)
    with pytest.raises(AlreadyExists) as same_id:
        await create_asset(database, caller, replace(GOLD, request_id="2", code="SILVER"))
    with pytest.raises(AlreadyExists) as same_code:
        await create_asset(database, caller, replace(GOLD, request_id="3", asset_id=new_id()))
    assert same_id.value.path == ("input", "id")
    assert same_code.value.path == ("input", "code")
    # Another tenant may use both.
    stranger = await make_caller(database)
    assert (await create_asset(database, stranger, GOLD)).asset.id == GUID


async def test_every_broken_rule_of_an_asset_is_listed(database: Database) -> None:
    caller = await make_caller(database)
    with pytest.raises(InvalidInput) as refusal:
        await create_asset(database, caller, CreateAsset("", "a b", "\x00", AssetKind.PRODUCT, 9))
    assert [error.path[-1] for error in refusal.value.errors] == [
        "requestId",
        "code",
        "name",
        "kind",
        "decimals",
    ]
    with pytest.raises(Forbidden):
        await create_asset(database, replace(caller, scopes=frozenset({Scope.READ})), GOLD)
    assert await database.fetch("SELECT FROM operations") == []


@pytest.mark.requirement("MON-13")
async def test_loaded_assets_stay_in_their_tenant(database: Database) -> None:
    caller, stranger = await make_caller(database), await make_caller(database)
    await create_asset(database, caller, GOLD)
    async with database.connection() as connection:
        known = await load_assets(connection, caller.tenant_id, [GUID])
        assert await load_assets(connection, stranger.tenant_id, [GUID]) == {}
        # From memory the second time.
        assert await load_assets(connection, caller.tenant_id, [GUID]) == known


async def test_asset_memory_is_bounded(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tenant_assets, "CACHED_ASSETS_MAX", 2)
    founded = await create_tenant(database, "Acme", "Acme Oslo")
    async with database.connection() as connection:
        for asset in founded.assets:
            assert await load_assets(connection, founded.tenant.id, [asset.id]) == {asset.id: asset}
    assert len(tenant_assets._cache) <= 2
