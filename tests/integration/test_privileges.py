"""Each role may do what storage/privileges.py says, and PostgreSQL refuses everything else."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import asyncpg
import pytest

from gateway.access import Scope
from gateway.ids import new_id
from gateway.operations import store as operations
from gateway.operations.model import OperationKind, Request
from gateway.storage.database import Database, OperatorNeeded
from gateway.storage.privileges import (
    APPLICATION_ROLE,
    OPERATOR_ROLE,
    ROLES,
    Access,
    grant_statements,
)
from gateway.tenants.credentials import (
    create_member_token,
    create_partner_token,
    revoke_token,
)
from gateway.tenants.founding import create_tenant
from tests.world import World, open_world

HELD = """
SELECT relname, grantee::regrole::text AS role, privilege_type, NULL AS column_name
FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'public'::regnamespace
UNION ALL
SELECT relname, grantee::regrole::text, privilege_type, attname
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid, aclexplode(attacl) WHERE relnamespace = 'public'::regnamespace
"""

INSERT_CREDENTIAL = """
INSERT INTO credentials (tenant_id, id, organization_id, partner_id, member_id, label, scopes, secret_hash, created_at)
SELECT tenant_id, gen_random_uuid(), id, id, $1, 'mine', $2::text[], sha256('known'), now() FROM organizations LIMIT 1
"""

Held = dict[tuple[str, str], set[tuple[str, str | None]]]


async def fetch_held(owner: asyncpg.Connection[asyncpg.Record]) -> Held:
    """Return what each of our roles may do with each table, and with which column if with one."""
    held: Held = defaultdict(set)
    for table, role, privilege, column in await owner.fetch(HELD):
        if role in {*ROLES, "-"}:
            held[role, table].add((privilege, column))
    return held


def written(access: Access) -> Iterator[tuple[str, str | None]]:
    yield "SELECT", None
    if access.insert:
        yield "INSERT", None
    for column in access.update.split():
        yield "UPDATE", column
    if access.delete:
        yield "DELETE", None


async def test_every_privilege_is_the_one_that_is_written_down(
    owner: asyncpg.Connection[asyncpg.Record],
):
    """All tables, all privileges, both roles and everybody; so also TRUNCATE, REFERENCES and TRIGGER, which nobody has."""
    expected = {
        (role, table): set(written(access))
        for role, tables in ROLES.items()
        for table, access in tables.items()
    }
    assert await fetch_held(owner) == expected


async def test_every_table_has_an_entry(owner: asyncpg.Connection[asyncpg.Record]):
    tables = await owner.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    for entries in ROLES.values():
        assert {name for (name,) in tables} == entries.keys()


async def test_what_was_granted_beside_the_page_is_taken_away(
    owner: asyncpg.Connection[asyncpg.Record],
):
    transaction = owner.transaction()
    await transaction.start()
    before = await fetch_held(owner)
    await owner.execute(f"""
        GRANT DELETE, TRUNCATE ON grants TO {APPLICATION_ROLE};
        GRANT UPDATE (secret_hash) ON credentials TO {OPERATOR_ROLE};
        GRANT INSERT ON migration TO {APPLICATION_ROLE}
    """)
    assert await fetch_held(owner) != before
    await owner.execute(";".join(grant_statements()))
    assert await fetch_held(owner) == before
    await transaction.rollback()


@pytest.fixture
async def world(database: Database) -> World:
    world = await open_world(database)
    await world.grant("1", world.members[0], world.points_reward)
    return world


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE credentials SET scopes = '{grant}'",
        "UPDATE credentials SET secret_hash = '\\x00'",
        "UPDATE credentials SET revoked_at = NULL",
        "DELETE FROM credential_limits",
        "DELETE FROM operations",
        "UPDATE operations SET field_hashes = '{}'",
        "INSERT INTO migration (name, app_name, ran_on) VALUES ('x', 'x', now())",
        "DELETE FROM migration",
        "INSERT INTO tenants SELECT * FROM tenants",
        "INSERT INTO organizations SELECT * FROM organizations",
        "UPDATE organizations SET parent_id = NULL",
        "UPDATE ledger_entries SET amount_minor = 1",
        "DELETE FROM ledger_transactions",
        "UPDATE grants SET member_id = gen_random_uuid()",
        "UPDATE grants SET metadata = '{}'",
        "DELETE FROM grants",
        "UPDATE accounts SET owner_id = gen_random_uuid()",
        "DELETE FROM accounts",
        "UPDATE outbox_events SET payload = '{}'",
        "TRUNCATE codes",
        "CREATE TABLE mine ()",
    ],
)
async def test_application_is_refused(world: World, statement: str):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with world.database.transaction() as connection:
            await connection.execute(statement)


@pytest.mark.parametrize(
    ("is_member", "scopes"), [(False, ["grant"]), (True, ["grant"]), (True, ["member", "grant"])]
)
async def test_application_makes_no_credential_that_does_more_than_a_members(
    world: World,
    owner: asyncpg.Connection[asyncpg.Record],
    is_member: bool,
    scopes: list[str],
):
    member_id = world.members[0] if is_member else None
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        async with world.database.transaction() as connection:
            await connection.execute(INSERT_CREDENTIAL, member_id, scopes)
    assert await owner.fetchval("SELECT count(*) FROM credentials") == 0


async def test_process_that_serves_makes_members_tokens_and_no_others(
    world: World, database_url: str, owner: asyncpg.Connection[asyncpg.Record]
):
    """It logs in as the application's role, and cannot take the operator's."""
    caller = world.caller
    mine = await create_partner_token(
        world.database, caller.tenant_id, caller.organization_id, "till", [Scope.READ]
    )
    serving = await Database.open(database_url, pool_size_max=1)
    try:
        made = await create_member_token(
            serving, caller.tenant_id, caller.organization_id, world.members[0]
        )
        with pytest.raises(OperatorNeeded, match="MIGRATION_DATABASE_URL"):
            await create_partner_token(
                serving, caller.tenant_id, caller.organization_id, "till", [Scope.READ]
            )
        with pytest.raises(OperatorNeeded):
            await create_tenant(serving, "Acme", "Acme Oslo")
        with pytest.raises(OperatorNeeded):
            await revoke_token(serving, caller.tenant_id, mine.credential.id)
    finally:
        await serving.close()
    found = await owner.fetch("SELECT id FROM credentials ORDER BY id")
    assert [row["id"] for row in found] == [mine.credential.id, made.credential.id]
    assert await owner.fetchval("SELECT count(revoked_at) FROM credentials") == 0
    assert await owner.fetchval("SELECT count(*) FROM tenants") == 1


async def test_operator_cannot_change_what_a_credential_may_do(world: World):
    for change in ("scopes = '{grant}'", "reach = '{}'", "member_id = NULL"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with world.database.operator_transaction() as connection:
                await connection.execute(f"UPDATE credentials SET {change}")  # noqa: S608 - see above


async def test_key_is_freed_only_by_the_database_transaction_that_claimed_it(
    world: World, owner: asyncpg.Connection[asyncpg.Record]
):
    async def count() -> int:
        found: int = await owner.fetchval("SELECT count(*) FROM operations WHERE key = 'freed'")
        return found

    request = Request(OperationKind.GRANT_REWARD, "freed", {}, new_id())
    async with world.database.transaction() as connection:
        await operations.claim_keys(connection, world.caller, [request])
        await operations.release(connection, world.caller, [request])
    assert await count() == 0
    async with world.database.transaction() as connection:
        await operations.claim_keys(connection, world.caller, [request])
    async with world.database.transaction() as connection:
        await operations.release(connection, world.caller, [request])
    assert await count() == 1


async def test_role_is_left_with_the_transaction(world: World):
    """The operator's role ends with the database transaction that took it, also on a connection that is used again."""
    async with world.database.operator_transaction() as connection:
        assert await connection.fetchval("SELECT current_user") == OPERATOR_ROLE
        pid = connection.get_server_pid()
    seen: dict[int, str] = {}
    for _ in range(20):
        async with world.database.connection() as connection:
            seen[connection.get_server_pid()] = await connection.fetchval("SELECT current_user")
    assert seen[pid] == APPLICATION_ROLE
    assert set(seen.values()) == {APPLICATION_ROLE}
