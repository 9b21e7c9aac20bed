"""Make every fact again and hold it to the chain: what was edited, deleted, reordered, moved or cut off is named.

Round trips: two a block and one a page of blocks, on one snapshot; memory: a page of blocks, and the published heads. The outbox is not
looked at: its events may be pruned.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gateway.chain import block_store as store
from gateway.chain.extending import split_hashes
from gateway.chain.fact_store import fetch_facts_of_grants, pack_facts
from gateway.chain.heads import Published
from gateway.chain.merkle import make_root
from gateway.chain.model import (
    FORM,
    NOTHING,
    Block,
    Fact,
    FactKind,
    Facts,
    Head,
    Positions,
    is_authentic,
)
from gateway.chain.receipts import is_signed, public_keys
from gateway.keys.model import KeyNotConfigured, Keys
from gateway.storage.database import Connection, Database

PAGE_BLOCKS = 20
# Of one tenant: whoever has changed more is found out all the same.
PROBLEMS_MAX = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not follow: of which block, about what, and what is wrong."""

    tenant_id: UUID
    block: int
    problem: str
    about: str = ""
    id: UUID | None = None

    def to_json(self) -> dict[str, Any]:
        """Return what there is to say."""
        row = {"tenant_id": self.tenant_id, "block": self.block, "about": self.about, "id": self.id}
        return {
            **{name: str(value) for name, value in row.items() if value},
            "problem": self.problem,
        }


@dataclass(slots=True)
class TenantChain:
    """What was found out about one tenant's chain."""

    tenant_id: UUID
    problems: list[Problem] = field(default_factory=list)
    block_count: int = 0
    fact_count: int = 0
    waiting_count: int = 0
    last: Head | None = None

    @property
    def after(self) -> Positions:
        """Return how far the blocks that were looked at go."""
        return self.last.header.until if self.last else Positions()


async def verify_chains(
    database: Database,
    keys: Keys,
    tenant_id: UUID | None = None,
    published: Published | None = None,
) -> list[TenantChain]:
    """Return what is found out about each tenant's chain, or about one."""
    async with (
        database.connection() as connection,
        connection.transaction(isolation="repeatable_read", readonly=True),
    ):
        await connection.execute("SET LOCAL statement_timeout = 0")
        tenants = await store.fetch_tenants(connection, tenant_id)
        heads = published.heads if published else {}
        # A tenant that is gone altogether shows by its heads.
        gone = [id_ for id_ in heads if id_ not in tenants and tenant_id in (None, id_)]
        return [
            await _verify(connection, keys, id_, heads.get(id_, {})) for id_ in [*tenants, *gone]
        ]


async def _verify(
    connection: Connection, keys: Keys, tenant_id: UUID, published: dict[int, list[Head]]
) -> TenantChain:
    chain = TenantChain(tenant_id)
    unseen = dict(published)
    while page := await store.fetch_blocks(
        connection, tenant_id, chain.last.header.number if chain.last else 0, PAGE_BLOCKS
    ):
        for block in page:
            number = block.head.header.number
            chain.problems += _check_block(keys, chain, block)
            chain.problems += _check_published(keys, chain, block.head, unseen.pop(number, ()))
            chain.problems += await _check_facts(connection, chain, block)
            chain.last = block.head
            chain.block_count += 1
            chain.fact_count += len(block.facts)
            if len(chain.problems) >= PROBLEMS_MAX:
                return chain
    chain.problems += _check_end(keys, chain)
    for number, heads in sorted(unseen.items()):
        chain.problems += _check_published(keys, chain, None, heads)
        said = heads[0].header
        problem = f"is missing: it was published with {said.fact_count} facts, made at {said.made_at.isoformat()}"
        chain.problems.append(Problem(tenant_id, number, problem))
    for behind in await store.count_behind(connection, tenant_id, chain.after):
        chain.waiting_count += behind.waiting
        problem = "says that it was written by a database transaction that has not begun"
        chain.problems += [
            Problem(tenant_id, 0, problem, behind.table, id_) for id_ in behind.ahead_ids
        ]
    return chain


def _check_block(keys: Keys, chain: TenantChain, block: Block) -> Iterator[Problem]:
    """Hold a block to the one before, its key and its own facts."""
    head, facts, last = block.head, block.facts, chain.last
    header, expected = head.header, last.header.number + 1 if last else 1
    if header.number != expected:
        yield Problem(chain.tenant_id, expected, "is missing")
    elif header.previous != (last.link if last else NOTHING):
        yield Problem(chain.tenant_id, header.number, "does not follow from the block before")
    if _is_forged(keys, head):
        yield Problem(chain.tenant_id, header.number, "was not made with the key, or was changed")
    if header.form != FORM:
        yield Problem(chain.tenant_id, header.number, "has a form that this gateway does not know")
    root = make_root(split_hashes(facts.hashes)) if facts.is_whole else b""
    if len(facts) != header.fact_count or root != header.root:
        yield Problem(chain.tenant_id, header.number, "holds other facts than it was made of")


def _is_forged(keys: Keys, head: Head) -> bool:
    """Tell whether a head was not made with the key it names. With an old key that is gone, the next block vouches for it."""
    try:
        return not is_authentic(keys, head)
    except KeyNotConfigured:
        return False


def _check_end(keys: Keys, chain: TenantChain) -> Iterator[Problem]:
    """Nothing vouches for the last block but its key."""
    if chain.last is not None and chain.last.header.key_id not in keys.ids:
        header = chain.last.header
        yield Problem(
            chain.tenant_id,
            header.number,
            f"was made with key {header.key_id}, which is not configured",
        )


def _check_published(
    keys: Keys, chain: TenantChain, head: Head | None, published: Sequence[Head]
) -> Iterator[Problem]:
    """Hold a block to what was published of it."""
    known = public_keys(keys)
    for said in published:
        key = known.get(said.header.key_id)
        if key is not None and not is_signed(said, key):
            yield Problem(
                chain.tenant_id, said.header.number, "was published with a wrong signature"
            )
        elif head is not None and said != head:
            yield Problem(chain.tenant_id, said.header.number, "is another one than was published")


async def _check_facts(connection: Connection, chain: TenantChain, block: Block) -> list[Problem]:
    """Make the facts again of what was written where the block says, and name each that differs."""
    number, stored = block.head.header.number, block.facts
    made = await pack_facts(connection, chain.tenant_id, chain.after, block.head.header.until)
    if made == stored:
        return []
    if not stored.is_whole:
        return []
    there, chained = _by_row(made), _by_row(stored)
    moved = [row for row in chained if row not in there]
    of_grants = await fetch_facts_of_grants(
        connection, chain.tenant_id, [id_ for kind, id_ in moved if kind >= FactKind.GRANT]
    )
    problems = []
    for row in [*chained, *(row for row in there if row not in chained)]:
        problem = _compare(chained.get(row), there.get(row) or _later(of_grants, row))
        if problem:
            problems.append(Problem(chain.tenant_id, number, problem, row[0].words, row[1]))
    return problems[:PROBLEMS_MAX]


def _later(
    of_grants: dict[tuple[FactKind, UUID], tuple[Fact, str]], row: tuple[FactKind, UUID]
) -> bytes | None:
    """Return the hash of a grant's fact as it is now: a grant that changes moves on to a later block."""
    found = of_grants.get(row)
    return found[0].hash if found else None


def _compare(chained: bytes | None, made: bytes | None) -> str | None:
    if chained is None:
        return "is not in the chain: it was added, or moved here, or changed"
    if made is None:
        return "is missing: it was deleted, moved, or undone"
    return None if chained == made else "was changed"


def _by_row(facts: Facts) -> dict[tuple[FactKind, UUID], bytes]:
    return {(fact.kind, fact.id): fact.hash for fact in facts}
