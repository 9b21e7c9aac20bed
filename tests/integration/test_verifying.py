"""Every named check passes on untouched data and, where something is corrupted, reports exactly that.

The owner corrupts inside a database transaction that is rolled back, so a corruption may drop constraints; the checks run in it
as the application's role.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import orjson
import pytest

from gateway.ledger.model import Account, OwnerKind
from gateway.storage.database import Database
from gateway.storage.privileges import APPLICATION_ROLE
from gateway.tenants.credentials import create_member_token
from gateway.verifying.checks import CHECKS
from gateway.verifying.model import ROWS_MAX, Finding
from gateway.verifying.reference_store import REFERENCES
from gateway.verifying.report import report
from gateway.verifying.verify import find_broken, verify
from tests.integration.damages import DAMAGES, NOTHING, STRAY_ACCOUNTS, hold
from tests.world import World, depend_on_everything, live_a_little, open_world

BREAK_REFERENCE = """
UPDATE <table> SET <column> = '{nothing}'
WHERE ctid = (SELECT ctid FROM <table> WHERE <column> IS NOT NULL AND <only> LIMIT 1)
"""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A world in which everything has happened once, and the owner inside a transaction that will be rolled back."""

    world: World
    owner: asyncpg.Connection[asyncpg.Record]
    names: dict[str, UUID | str]

    async def damage(self, statements: str) -> None:
        await self.owner.execute(statements.format(**self.names))

    async def find_broken(self, tenant_id: UUID | None = None) -> dict[str, Finding]:
        await self.owner.execute(f"SET LOCAL ROLE {APPLICATION_ROLE}")
        findings = await find_broken(self.owner, tenant_id)  # type: ignore[arg-type]
        await self.owner.execute("RESET ROLE")
        return {finding.check: finding for finding in findings}


@pytest.fixture
async def sandbox(database: Database, owner_database_url: str) -> AsyncIterator[Sandbox]:
    world = await open_world(database, codes=["first", "second"])
    grants = await live_a_little(world)
    ada, grace, *_ = world.members
    await create_member_token(
        database, world.caller.tenant_id, world.caller.organization_id, ada, label="ada"
    )
    names: dict[str, UUID | str] = {
        **grants,
        "depending": await depend_on_everything(world),
        "tenant": world.caller.tenant_id,
        "ada": ada,
        "grace": grace,
        "points_id": world.caller.standard_assets.points_id,
        "experience_id": world.caller.standard_assets.experience_id,
        "adas_points": Account(world.caller.standard_assets.points_id, OwnerKind.MEMBER, ada).id,
        "entry_reward": world.entry_reward,
        "nothing": NOTHING,
    }
    owner = await asyncpg.connect(owner_database_url)
    transaction = owner.transaction()
    await transaction.start()
    # Foreign keys are not checked in a replica's session.
    await owner.execute("SET LOCAL session_replication_role = replica")
    yield Sandbox(world, owner, names)
    await transaction.rollback()
    await owner.close()


@pytest.mark.requirement("ALL-6")
async def test_untouched_data_passes_every_check(sandbox: Sandbox):
    assert await verify(sandbox.world.database) == []
    assert await verify(sandbox.world.database, sandbox.world.caller.tenant_id) == []


@pytest.mark.requirement("ALL-6")
@pytest.mark.parametrize("name", DAMAGES)
async def test_damage_is_reported_by_its_check_alone(sandbox: Sandbox, name: str):
    damage = DAMAGES[name]
    await sandbox.damage(damage.statements)
    broken = await sandbox.find_broken()
    assert set(broken) == set(damage.checks.split())
    rows = orjson.dumps([finding.rows for finding in broken.values()]).decode()
    assert damage.shows.format(**sandbox.names) in rows


def test_every_check_has_a_damage_that_only_it_reports():
    alone = {damage.checks for damage in DAMAGES.values()}
    # Whatever unbalances an asset unbalances a transaction; references are damaged one by one below.
    without = {"assets_sum_to_zero", "references_stay_in_tenant"}
    assert {check.name for check in CHECKS} - without == {name for name in alone if " " not in name}


@pytest.mark.requirement("MON-13", "ALL-6")
async def test_every_reference_to_nothing_is_reported(sandbox: Sandbox):
    await sandbox.damage(hold(5, "'RELEASED'", "now()"))
    for reference in REFERENCES:
        savepoint = sandbox.owner.transaction()
        await savepoint.start()
        statement = BREAK_REFERENCE.replace("<column>", reference.column).replace(
            "<only>", reference.only
        )
        await sandbox.damage(statement.replace("<table>", reference.table))
        finding = (await sandbox.find_broken())["references_stay_in_tenant"]
        name = f"{reference.table}.{reference.column}"
        assert {
            "tenant_id": str(sandbox.world.caller.tenant_id),
            "reference": name,
            "names": NOTHING,
        } in finding.rows
        await savepoint.rollback()


@pytest.mark.requirement("MON-13", "ALL-6")
async def test_another_tenants_row_is_as_good_as_nothing(sandbox: Sandbox):
    other = await open_world(sandbox.world.database)
    foreign = await other.grant("1", other.members[0], other.points_reward)
    sandbox.names["foreign"] = foreign.grant.id
    await sandbox.damage(
        "UPDATE notifications SET grant_id = '{foreign}' WHERE member_id = '{grace}'"
    )
    broken = await sandbox.find_broken()
    assert set(broken) == {"references_stay_in_tenant"}
    assert [row["reference"] for row in broken["references_stay_in_tenant"].rows] == [
        "notifications.grant_id"
    ]
    assert set(await sandbox.find_broken(sandbox.world.caller.tenant_id)) == {
        "references_stay_in_tenant"
    }
    assert await sandbox.find_broken(other.caller.tenant_id) == {}


async def test_every_column_that_holds_an_id_is_checked(sandbox: Sandbox):
    """A new column that refers to a row needs a foreign key, or a line in one of the checks."""
    columns = await sandbox.owner.fetch("""
        SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_name LIKE '%\\_id' AND column_name <> 'tenant_id' AND data_type = 'uuid'
            AND NOT EXISTS (SELECT FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY(conkey)
                WHERE contype = 'f' AND conrelid = (table_schema || '.' || table_name)::regclass AND attname = column_name)
    """)
    named = {f"{reference.table}.{reference.column}" for reference in REFERENCES}
    elsewhere = {
        "outbox_events.transaction_id",
        "codes.grant_id",
        "coupon_assignments.reward_id",
        "coupon_assignments.member_id",
        "coupon_assignments.grant_id",
        "grants.operation_id",
        "grants.reversal_transaction_id",
    }
    # Partners have no table: a partner is who holds credentials with its id. A lease is a name that its holder made up.
    # What acted may be a credential or an issuer of members' tokens, and does not have to be there any more.
    not_rows = {
        "operations.partner_id",
        "credentials.partner_id",
        "cash_references.partner_id",
        "vendor_orders.lease_id",
        # Positions in the order of rows, and a process.
        "chain_blocks.operations_until_id",
        "chain_blocks.transactions_until_id",
        "chain_blocks.grants_until_id",
        "chain_leases.holder_id",
        "operations.credential_id",
        "ledger_transactions.credential_id",
        "vendor_orders.credential_id",
    }
    assert {name for (name,) in columns} == (named | elsewhere | not_rows) - {"holds.account_id"}


async def test_findings_are_bounded_and_plain(sandbox: Sandbox):
    await sandbox.damage(STRAY_ACCOUNTS.replace("{count}", str(ROWS_MAX + 1)))
    (finding,) = (await sandbox.find_broken()).values()
    assert len(finding.rows) == ROWS_MAX
    assert finding.has_more
    assert all(isinstance(value, str) for row in finding.rows for value in row.values())
    lines = report([finding])
    assert len(lines) == len(CHECKS) + ROWS_MAX + 2
    assert (
        "BROKEN  accounts_named_by_owner: it does not hold that every account's id follows"
        in "\n".join(lines)
    )
    assert lines[-1] == f"{len(CHECKS) - 1} of {len(CHECKS)} checks hold."
    assert report([])[-1] == f"{len(CHECKS)} of {len(CHECKS)} checks hold."


async def test_many_broken_chains_are_bounded_too(sandbox: Sandbox):
    await sandbox.damage(STRAY_ACCOUNTS.replace("{count}", str(ROWS_MAX + 5)))
    await sandbox.damage("UPDATE accounts SET entry_count = 1 WHERE entry_count = 0")
    assert len((await sandbox.find_broken())["chains_verify"].rows) == ROWS_MAX


async def test_many_unknown_accounts_are_bounded_too(sandbox: Sandbox):
    world = sandbox.world
    await world.distribute("many", [(world.members[0], 1, 0)] * (ROWS_MAX + 5))
    await sandbox.damage(
        "UPDATE ledger_entries SET account_id = gen_random_uuid() WHERE sequence IS NULL"
    )
    finding = (await sandbox.find_broken())["system_accounts_known"]
    assert len(finding.rows) == ROWS_MAX
    assert finding.has_more


async def test_live_traffic_never_looks_broken(sandbox: Sandbox):
    """All checks read one snapshot, so work that commits between two of them is not half seen."""
    world = sandbox.world
    has_looked, has_moved = asyncio.Event(), asyncio.Event()

    async def work(client: int) -> None:
        step = 0
        while not has_looked.is_set():
            step += 1
            key = f"live-{client}-{step}"
            await world.distribute(key, [(member, 2, 1) for member in world.members])
            has_moved.set()

    working = asyncio.gather(*(work(client) for client in range(4)))
    for _ in range(5):
        has_moved.clear()
        await has_moved.wait()
        assert await verify(world.database) == []
    has_looked.set()
    await working
