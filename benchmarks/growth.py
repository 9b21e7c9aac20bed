"""A gateway's database with a long history, built quickly."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from benchmarks import growth_store as store
from benchmarks.databases import OwnerConnection, SideDatabase
from benchmarks.world import create_numbered_members
from gateway.access import PARTNER_SCOPES, Caller
from gateway.ledger.model import Account, OwnerKind
from gateway.storage.database import Database
from gateway.tenants.credentials import create_member_token, create_partner_token
from gateway.tenants.founding import create_tenant

ENTRIES_PER_GRANT = 4
GRANTS_PER_MEMBER = 25
LINES_PER_BATCH = 1_000
READERS = 200
# A thousand pages of 20, and more to come.
WHALE_GRANTS = 20_100


@dataclass(frozen=True, slots=True)
class GrownWorld:
    """One tenant with a history. `member_tokens` are of members like any other; `whale_token` of one with 20,100 grants."""

    partner_token: str
    member_count: int
    member_tokens: Sequence[str]
    whale_token: str


@dataclass(frozen=True, slots=True)
class _Tenant:
    caller: Caller
    member_ids: Sequence[UUID]


def grow(database: SideDatabase, entry_count: int) -> GrownWorld:
    """Fill an empty, migrated database with about this many entries."""
    grants = entry_count // ENTRIES_PER_GRANT
    members = grants // GRANTS_PER_MEMBER
    tenant, world = asyncio.run(_found(database, members))

    async def load(connection: OwnerConnection) -> None:
        await _load(connection, tenant, grants)

    database.run(load)
    return world


async def _found(database: SideDatabase, members: int) -> tuple[_Tenant, GrownWorld]:
    pool = await Database.open(database.owner_url, pool_size_max=1)
    try:
        founded = await create_tenant(pool, "Grown", "Grown Rewards")
        tenant_id, organization_id = founded.tenant.id, founded.organization.id
        partner = await create_partner_token(
            pool, tenant_id, organization_id, "benchmark", PARTNER_SCOPES
        )
        caller = Caller(
            tenant_id,
            organization_id,
            partner.credential.partner_id,
            PARTNER_SCOPES,
            founded.tenant.standard_assets,
        )
        # One more than the ordinary ones: the whale.
        ids = await create_numbered_members(pool, caller, members + 1)
        readers = [*ids[: members : max(1, members // READERS)][:READERS], ids[-1]]
        tokens = [
            (await create_member_token(pool, tenant_id, organization_id, member_id)).text
            for member_id in readers
        ]
    finally:
        await pool.close()
    return _Tenant(caller, ids), GrownWorld(partner.text, members, tokens[:-1], tokens[-1])


async def _load(connection: OwnerConnection, tenant: _Tenant, grants: int) -> None:
    caller, members = tenant.caller, len(tenant.member_ids) - 1
    points_id, experience_id = (
        caller.standard_assets.points_id,
        caller.standard_assets.experience_id,
    )
    tenant_id, organization_id = caller.tenant_id, caller.organization_id
    issuance = [
        Account(asset_id, OwnerKind.ISSUANCE, organization_id).id
        for asset_id in (points_id, experience_id)
    ]
    batches = (grants + WHALE_GRANTS) // LINES_PER_BATCH + 1
    await connection.execute(store.LOADING_SETTINGS)
    await connection.execute(store.STAGE)
    await _stage_members(connection, tenant, points_id, experience_id)
    await connection.execute(store.STAGE_BATCHES, batches)
    await connection.execute(store.STAGE_GRANTS, grants, LINES_PER_BATCH, members)
    await connection.execute(store.STAGE_WHALE, grants, LINES_PER_BATCH, members, WHALE_GRANTS)
    await connection.execute("ANALYZE staged_members, staged_batches, staged_grants")
    definitions = await _drop_indexes(connection)
    await connection.execute(store.INSERT_OPERATIONS, tenant_id, organization_id, caller.partner_id)
    await connection.execute(store.INSERT_TRANSACTIONS, tenant_id)
    await connection.execute(store.INSERT_EVENTS, tenant_id)
    await connection.execute(store.INSERT_ACCOUNTS, tenant_id, points_id, experience_id)
    await connection.execute(store.INSERT_ENTRIES, tenant_id, points_id, experience_id, *issuance)
    benefits = [
        {"kind": "ASSET_CREDIT", "asset_id": str(asset_id), "amount_minor": amount_minor}
        for asset_id, amount_minor in ((points_id, 50), (experience_id, 100))
    ]
    await connection.execute(
        store.INSERT_GRANTS, tenant_id, organization_id, orjson.dumps(benefits).decode()
    )
    for statement in (*definitions, *store.AFTERWARDS):
        await connection.execute(statement)


async def _stage_members(
    connection: OwnerConnection, tenant: _Tenant, points_id: UUID, experience_id: UUID
) -> None:
    records = [
        (
            number,
            member_id,
            Account(points_id, OwnerKind.MEMBER, member_id).id,
            Account(experience_id, OwnerKind.MEMBER, member_id).id,
        )
        for number, member_id in enumerate(tenant.member_ids)
    ]
    await connection.copy_records_to_table("staged_members", records=records)


async def _drop_indexes(connection: OwnerConnection) -> list[str]:
    """Drop the keys and indexes of the large tables and return the statements that make them again."""
    keys = await connection.fetch(store.LIST_KEYS, list(store.LARGE_TABLES))
    indexes = await connection.fetch(store.LIST_INDEXES, list(store.LARGE_TABLES))
    for key in reversed(keys):
        await connection.execute(f"ALTER TABLE {key['owner']} DROP CONSTRAINT {key['name']}")
    for index in indexes:
        await connection.execute(f"DROP INDEX {index['name']}")
    return [
        *(
            f"ALTER TABLE {key['owner']} ADD CONSTRAINT {key['name']} {key['definition']}"
            for key in keys
        ),
        *(index["definition"] for index in indexes),
    ]
