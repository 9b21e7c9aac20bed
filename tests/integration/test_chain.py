"""Whoever owns the database and changes what the chain covers is found out, with the row named."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from gateway.chain.extending import Extender
from gateway.chain.fact_store import pack_facts
from gateway.chain.heads import HeadsFile, UnreadableHead, read_heads
from gateway.chain.model import Facts, Positions
from gateway.chain.verifying import Problem, verify_chains
from gateway.expiring.jobs import expire_everywhere
from gateway.keys.model import Keys
from gateway.storage.database import Connection, Database
from tests.sealing import KEYS
from tests.world import World, depend_on_everything, live_a_little, open_world

NOTHING = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A world whose past is chained, in several blocks, and the owner of its database."""

    world: World
    owner: asyncpg.Connection[asyncpg.Record]
    heads: Path
    grants: dict[str, UUID]

    async def extend(self, extender: Extender | None = None) -> None:
        """Make blocks as a process that nobody is in the way of, once all that has begun on the server has ended."""
        begun = await self.owner.fetchval("SELECT pg_snapshot_xmax(pg_current_snapshot())")
        running = "SELECT pg_snapshot_xmin(pg_current_snapshot()) FROM pg_sleep(0.01)"
        while begun > await self.owner.fetchval(running):
            pass
        await self.owner.execute(
            "UPDATE chain_leases SET leased_until = now() - interval '1 second'"
        )
        await (extender or Extender(self.world.database, KEYS, HeadsFile(self.heads))).extend_due()

    async def find(self, *, with_heads: bool = False) -> list[Problem]:
        published = read_heads(self.heads) if with_heads else None
        chains = await verify_chains(self.world.database, KEYS, published=published)
        return [problem for chain in chains for problem in chain.problems]

    async def last_grant(self) -> asyncpg.Record:
        row = await self.owner.fetchrow(
            "SELECT * FROM grants ORDER BY written_in DESC, id DESC LIMIT 1"
        )
        assert row is not None
        return row


@pytest.fixture
async def sandbox(
    database: Database, owner: asyncpg.Connection[asyncpg.Record], tmp_path: Path
) -> Sandbox:
    world = await open_world(database, codes=["first", "second"])
    sandbox = Sandbox(world, owner, tmp_path / "heads", {})
    sandbox.grants.update(await live_a_little(world))
    await sandbox.extend()
    await depend_on_everything(world)
    await expire_everywhere(database)
    await sandbox.extend()
    await world.grant("last", world.members[0], world.points_reward)
    await sandbox.extend()
    # Foreign keys are not checked in a replica's session.
    await owner.execute("SET session_replication_role = replica")
    return sandbox


def ids(problems: Sequence[Problem]) -> set[UUID | None]:
    return {problem.id for problem in problems}


async def test_tenant_that_fails_keeps_no_others_chain_waiting(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    other = await open_world(sandbox.world.database)
    await sandbox.world.grant("more", sandbox.world.members[0], sandbox.world.points_reward)
    failing = min(sandbox.world.caller.tenant_id, other.caller.tenant_id)

    async def fail_or_pack(
        connection: Connection, tenant_id: UUID, after: Positions, until: Positions
    ) -> Facts:
        if tenant_id == failing:
            message = "this tenant alone"
            raise ValueError(message)
        return await pack_facts(connection, tenant_id, after, until)

    monkeypatch.setattr("gateway.chain.extending.pack_facts", fail_or_pack)
    await sandbox.extend()
    count = "SELECT count(*) FROM chain_blocks WHERE tenant_id <> $1"
    assert await sandbox.owner.fetchval(count, failing) == 1
    (line,) = [line for line in caplog.records if line.message == "chain was not extended"]
    assert line.__dict__["facts"]["tenant_id"] == str(failing)


async def test_heads_that_the_disk_had_no_room_for_are_published_whole_when_it_has(
    sandbox: Sandbox,
):
    """A bound on the size of files cuts a write short as a full disk does."""
    extender = Extender(sandbox.world.database, KEYS, HeadsFile(sandbox.heads))
    size_bytes = sandbox.heads.stat().st_size
    await sandbox.world.grant("more", sandbox.world.members[0], sandbox.world.points_reward)
    earlier = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes + 20, earlier[1]))
    try:
        with pytest.raises(OSError, match="not all heads"):
            await sandbox.extend(extender)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, earlier)
    await sandbox.extend(extender)
    (heads,) = read_heads(sandbox.heads).heads.values()
    assert sorted(heads) == [1, 2, 3, 4]


async def test_untouched_chain_holds_and_covers_everything(sandbox: Sandbox):
    (chain,) = await verify_chains(
        sandbox.world.database, KEYS, published=read_heads(sandbox.heads)
    )
    assert chain.problems == []
    assert (chain.block_count, chain.waiting_count) == (3, 0)
    rows = await sandbox.owner.fetchval(
        "SELECT (SELECT count(*) FROM operations) + (SELECT count(*) FROM ledger_transactions) + (SELECT count(*) FROM grants)"
    )
    assert chain.fact_count > rows


async def test_last_transaction_cut_off_with_all_that_names_it(sandbox: Sandbox):
    """The account's own chain is moved back too, so that nothing else tells."""
    grant = await sandbox.last_grant()
    await sandbox.owner.execute(
        """WITH gone AS (DELETE FROM ledger_entries WHERE transaction_id = $1 RETURNING account_id, sequence, amount_minor)
        UPDATE accounts SET posted_minor = posted_minor - gone.amount_minor, entry_count = entry_count - 1, chain_hash = coalesce((
            SELECT chain_hash FROM ledger_entries AS kept WHERE kept.account_id = accounts.id AND kept.sequence = gone.sequence - 1),
            decode(repeat('00', 32), 'hex'))
        FROM gone WHERE accounts.id = gone.account_id AND gone.sequence IS NOT NULL""",
        grant["transaction_id"],
    )
    for statement in (
        "DELETE FROM outbox_events WHERE transaction_id = $1",
        "DELETE FROM ledger_transactions WHERE id = $1",
    ):
        await sandbox.owner.execute(statement, grant["transaction_id"])
    await sandbox.owner.execute("DELETE FROM grants WHERE id = $1", grant["id"])
    await sandbox.owner.execute("DELETE FROM operations WHERE id = $1", grant["operation_id"])
    problems = await sandbox.find()
    assert ids(problems) == {grant["id"], grant["transaction_id"], grant["operation_id"]}
    assert {problem.problem.split(":")[0] for problem in problems} == {"is missing"}
    # And if the block goes too, the published heads tell which, and how much was in it.
    await sandbox.owner.execute("DELETE FROM chain_blocks WHERE number = 3")
    assert await sandbox.find() == []
    (cut,) = await sandbox.find(with_heads=True)
    assert cut.block == 3
    assert cut.problem.startswith("is missing: it was published with 4 facts")


@pytest.mark.parametrize(
    ("change", "of"),
    [
        (
            "UPDATE ledger_entries SET amount_minor = amount_minor + 998000 WHERE transaction_id = $2 AND index = 1",
            "both",
        ),
        (
            "UPDATE ledger_entries SET balance_after_minor = 998000 WHERE transaction_id = $2 AND sequence IS NOT NULL",
            "transaction",
        ),
        (
            "UPDATE ledger_entries SET occurred_at = occurred_at - interval '1 hour' WHERE transaction_id = $2",
            "transaction",
        ),
        ("DELETE FROM ledger_entries WHERE transaction_id = $2 AND index = 1", "both"),
        ("UPDATE ledger_transactions SET description = 'other' WHERE id = $2", "transaction"),
        (
            "UPDATE ledger_transactions SET occurred_at = occurred_at + interval '1 day' WHERE id = $2",
            "transaction",
        ),
        ("UPDATE ledger_transactions SET written_in = written_in - 1 WHERE id = $2", "transaction"),
        ("UPDATE grants SET metadata = '{\"forged\": true}' WHERE id = $1", "grant"),
        ("UPDATE grants SET rewarded_at = rewarded_at - interval '1 year' WHERE id = $1", "grant"),
        ("UPDATE grants SET member_id = gen_random_uuid() WHERE id = $1", "grant"),
        (
            "UPDATE grants SET benefits = '[]', written_in = pg_current_xact_id()::text::bigint WHERE id = $1",
            "grant",
        ),
        ("UPDATE grants SET status = 'CONFIRMED' WHERE id = $1", "grant"),
        ("UPDATE grants SET status = 'EXPIRED' WHERE id = $1", "grant"),
        (
            "UPDATE grants SET status = 'CONFIRMED', claimed_at = NULL, claim_transaction_id = NULL WHERE id = $1",
            "grant",
        ),
        ("UPDATE grants SET written_in = 1 WHERE id = $1", "grant"),
        ("DELETE FROM grants WHERE id = $1", "grant"),
        ("UPDATE operations SET answer = '{}' WHERE id = $3", "operation"),
        ("UPDATE operations SET key = 'other' WHERE id = $3", "operation"),
        ("UPDATE operations SET credential_id = gen_random_uuid() WHERE id = $3", "operation"),
        ("DELETE FROM operations WHERE id = $3", "operation"),
        ("UPDATE grants SET written_in = written_in + 1000000 WHERE id = $1", "grant"),
        ("UPDATE operations SET tenant_id = gen_random_uuid() WHERE id = $3", "operation"),
    ],
)
async def test_edit_is_found_and_its_row_named(sandbox: Sandbox, change: str, of: str):
    row = await sandbox.last_grant()
    values = [row["id"], row["transaction_id"], row["operation_id"]]
    named = {
        "grant": {values[0]},
        "transaction": {values[1]},
        "operation": {values[2]},
        "both": {*values[:2]},
    }
    for number, value in enumerate(values, start=1):
        change = change.replace(f"${number}", f"'{value}'")
    await sandbox.owner.execute(change)
    assert ids(await sandbox.find()) == named[of]


async def test_recomputed_accounts_chain_does_not_help(sandbox: Sandbox):
    """The unkeyed chain of an account may be made again by anybody; the transaction's own fact may not."""
    grant = await sandbox.last_grant()
    await sandbox.owner.execute(
        "UPDATE ledger_entries SET amount_minor = amount_minor + sign(amount_minor) * 998000 WHERE transaction_id = $1",
        grant["transaction_id"],
    )
    assert ids(await sandbox.find()) == {grant["id"], grant["transaction_id"]}


async def test_reordered_transactions_are_found(sandbox: Sandbox):
    first, second = await sandbox.owner.fetch(
        "SELECT id, written_in FROM ledger_transactions ORDER BY written_in DESC LIMIT 2"
    )
    for row, other in ((first, second), (second, first)):
        await sandbox.owner.execute(
            "UPDATE ledger_transactions SET written_in = $2 WHERE id = $1",
            row["id"],
            other["written_in"],
        )
    assert ids(await sandbox.find()) == {first["id"], second["id"]}


async def test_row_deleted_in_the_middle_is_found(sandbox: Sandbox):
    row = await sandbox.owner.fetchrow(
        "SELECT id FROM ledger_transactions ORDER BY written_in OFFSET 2 LIMIT 1"
    )
    assert row is not None
    await sandbox.owner.execute("DELETE FROM ledger_transactions WHERE id = $1", row["id"])
    (problem,) = await sandbox.find()
    assert (problem.block, problem.about, problem.id) == (
        1,
        "transaction with its entries",
        row["id"],
    )


@pytest.mark.parametrize("status", ["CLAIMED", "EXPIRED"])
async def test_reversal_cannot_be_undone(sandbox: Sandbox, status: str):
    row = await sandbox.owner.fetchrow("SELECT id FROM grants WHERE status = 'REVERSED'")
    assert row is not None
    await sandbox.owner.execute(
        "UPDATE grants SET status = $2, reversed_at = NULL, reversal_transaction_id = NULL, "
        "written_in = pg_current_xact_id()::text::bigint WHERE id = $1",
        row["id"],
        status,
    )
    await sandbox.extend()
    assert ids(await sandbox.find()) == {row["id"]}


@pytest.mark.parametrize(
    ("change", "block"),
    [
        ("DELETE FROM chain_blocks WHERE number = 2", 2),
        ("UPDATE chain_blocks SET root = sha256('') WHERE number = 2", 2),
        ("UPDATE chain_blocks SET made_at = made_at - interval '1 day' WHERE number = 3", 3),
        ("UPDATE chain_blocks SET tag = sha256('') WHERE number = 3", 3),
        ("UPDATE chain_blocks SET number = 6 - number WHERE number <> 2", 1),
        ("UPDATE chain_blocks SET grants_until = 0 WHERE number = 3", 3),
        ("UPDATE chain_blocks SET fact_hashes = sha256('') || substr(fact_hashes, 33) WHERE number = 2", 2),
        ("UPDATE chain_blocks SET fact_kinds = substr(fact_kinds, 2), fact_ids = substr(fact_ids, 17), "
         "fact_hashes = substr(fact_hashes, 33), fact_count = fact_count - 1 WHERE number = 2", 2),
    ],
)  # fmt: skip
async def test_changed_block_is_found(sandbox: Sandbox, change: str, block: int):
    # Numbers must not collide while they are swapped.
    await sandbox.owner.execute("ALTER TABLE chain_blocks DROP CONSTRAINT chain_blocks_pkey")
    try:
        await sandbox.owner.execute(change)
        assert block in {problem.block for problem in await sandbox.find()}
    finally:
        await sandbox.owner.execute(
            "ALTER TABLE chain_blocks ADD CONSTRAINT chain_blocks_pkey PRIMARY KEY (tenant_id, number)"
        )


async def test_swapped_tenants_are_found(sandbox: Sandbox):
    other = await open_world(sandbox.world.database)
    await other.grant("1", other.members[0], other.points_reward)
    await sandbox.extend()
    mine, theirs = sandbox.world.caller.tenant_id, other.caller.tenant_id
    # By way of nobody: numbers must not collide.
    for before, after in ((mine, NOTHING), (theirs, mine), (NOTHING, theirs)):
        await sandbox.owner.execute(
            "UPDATE chain_blocks SET tenant_id = $2 WHERE tenant_id = $1 AND number = 1",
            before,
            after,
        )
    assert {problem.tenant_id for problem in await sandbox.find()} == {mine, theirs}


async def test_replayed_head_is_found(sandbox: Sandbox):
    """The database is put back to an earlier state, which is whole, and goes on from there."""
    await sandbox.owner.execute("DELETE FROM chain_blocks WHERE number = 3")
    assert await sandbox.find() == []
    assert [problem.block for problem in await sandbox.find(with_heads=True)] == [3]
    await sandbox.world.grant("instead", sandbox.world.members[0], sandbox.world.points_reward)
    await sandbox.extend()
    problems = await sandbox.find(with_heads=True)
    assert [problem.problem for problem in problems] == ["is another one than was published"]


async def test_next_block_vouches_for_the_code_of_one_whose_key_is_gone(sandbox: Sandbox):
    """What authenticates a block cannot be checked without its key, and still not be changed."""
    new = Keys([bytes([7]) * 32])
    await sandbox.owner.execute("UPDATE chain_blocks SET tag = sha256(tag) WHERE number = 1")
    chains = await verify_chains(sandbox.world.database, new)
    first = chains[0].problems[0]
    assert (first.block, first.problem) == (2, "does not follow from the block before")


async def test_process_does_not_go_on_from_blocks_that_are_gone(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    extender = Extender(sandbox.world.database, KEYS)
    await sandbox.world.grant("more", sandbox.world.members[0], sandbox.world.points_reward)
    await sandbox.extend(extender)
    await sandbox.owner.execute("DELETE FROM chain_blocks WHERE number >= 3")
    await sandbox.extend(extender)
    assert "Blocks that were made are gone." in caplog.text
    assert await sandbox.owner.fetchval("SELECT max(number) FROM chain_blocks") == 2


async def test_nothing_is_built_on_a_forged_block(
    sandbox: Sandbox, caplog: pytest.LogCaptureFixture
):
    await sandbox.owner.execute("UPDATE chain_blocks SET root = sha256('') WHERE number = 3")
    await sandbox.world.grant("more", sandbox.world.members[0], sandbox.world.points_reward)
    await sandbox.extend()
    assert "Block 3 was not made with the key." in caplog.text
    assert await sandbox.owner.fetchval("SELECT max(number) FROM chain_blocks") == 3


async def test_block_that_was_forged_with_another_key_is_found(sandbox: Sandbox):
    await sandbox.owner.execute("DELETE FROM chain_blocks WHERE number = 3")
    await sandbox.extend(Extender(sandbox.world.database, Keys([bytes(32), bytes(range(32))])))
    problems = await sandbox.find()
    assert {problem.block for problem in problems} == {3}
    assert "which is not configured" in problems[-1].problem


async def test_chain_goes_on_with_a_new_key_and_without_the_old_one(sandbox: Sandbox):
    new = bytes(reversed(range(32)))
    await sandbox.world.grant("more", sandbox.world.members[0], sandbox.world.points_reward)
    await sandbox.extend(Extender(sandbox.world.database, Keys([new, bytes(range(32))])))
    (chain,) = await verify_chains(sandbox.world.database, Keys([new]))
    assert (chain.problems, chain.block_count) == ([], 4)
    await sandbox.owner.execute("UPDATE chain_blocks SET made_at = now() WHERE number = 3")
    (chain,) = await verify_chains(sandbox.world.database, Keys([new]))
    assert [problem.block for problem in chain.problems] == [4]


async def test_running_transaction_holds_the_chain_back_and_nothing_is_missed(sandbox: Sandbox):
    """Who began earlier and commits later is chained all the same."""
    world = sandbox.world
    slow = await asyncpg.connect(await _address(sandbox))
    transaction = slow.transaction()
    await transaction.start()
    await slow.execute("SELECT pg_current_xact_id()")
    for number in range(3):
        await world.grant(f"meanwhile-{number}", world.members[0], world.points_reward)
    await sandbox.owner.execute("DELETE FROM chain_leases")
    await Extender(world.database, KEYS).extend_due()
    assert await sandbox.owner.fetchval("SELECT max(number) FROM chain_blocks") == 3
    await slow.execute(
        "INSERT INTO operations (tenant_id, partner_id, kind, key, id, organization_id, field_hashes, answer, created_at) "
        "VALUES ($1, $2, 'GRANT_REWARD', 'slow', gen_random_uuid(), $2, '{}', '{}', now())",
        world.caller.tenant_id,
        world.caller.organization_id,
    )
    await transaction.commit()
    await slow.close()
    await sandbox.extend()
    (chain,) = await verify_chains(world.database, KEYS)
    assert (chain.problems, chain.waiting_count, chain.block_count) == ([], 0, 4)


async def _address(sandbox: Sandbox) -> str:
    host = await sandbox.owner.fetchval(
        "SELECT split_part(current_setting('unix_socket_directories'), ',', 1)"
    )
    name = await sandbox.owner.fetchval("SELECT current_database()")
    return f"postgresql://postgres@/{name}?host={host}"


async def test_blocks_are_bounded_and_made_once_by_many(sandbox: Sandbox):
    """Several processes at once, under traffic: each row is chained once, and no block has more than its rows."""
    world = sandbox.world
    extenders = [Extender(world.database, KEYS, rows_max=5) for _ in range(3)]
    await world.distribute("many", [(member, 1, 1) for member in world.members] * 7)

    async def work(number: int) -> None:
        for step in range(5):
            await world.grant(f"at-once-{number}-{step}", world.members[0], world.points_reward)

    async def extend(extender: Extender) -> None:
        for _ in range(6):
            await extender.extend_due()

    await asyncio.gather(*map(work, range(3)), *map(extend, extenders))
    while (chain := (await verify_chains(world.database, KEYS))[0]).waiting_count:
        await sandbox.extend(extenders[0])
    assert chain.problems == []
    most = await sandbox.owner.fetchval("SELECT max(fact_count) FROM chain_blocks WHERE number > 3")
    assert most <= 5 * 6


async def test_pruned_events_break_nothing(sandbox: Sandbox):
    await sandbox.owner.execute("DELETE FROM outbox_events")
    assert await sandbox.find(with_heads=True) == []


def test_file_of_heads_says_which_line_is_wrong(tmp_path: Path):
    path = tmp_path / "heads"
    path.write_text("{}\n")
    with pytest.raises(UnreadableHead, match="line 1"):
        read_heads(path)


async def test_head_that_was_cut_off_while_it_was_written_hides_no_other(sandbox: Sandbox):
    """A disk that was full leaves a part of a line; what is published later stands on lines of its own."""
    whole = sandbox.heads.read_bytes()
    published = read_heads(sandbox.heads)
    (heads,) = published.heads.values()
    last = heads[max(heads)][0]
    sandbox.heads.write_bytes(whole.rstrip()[:-10])
    assert await sandbox.find(with_heads=True) == []
    HeadsFile(sandbox.heads).publish([last])
    again = read_heads(sandbox.heads)
    assert again.heads == published.heads
    assert len(again.unreadable_lines) == 1
