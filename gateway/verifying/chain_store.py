"""Compute every account's hash chain again, streaming: what was edited, deleted, reordered, cut off or dated back shows.

Memory: a page of rows and one account, whatever the size of the ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg

from gateway.ledger.chain import next_hash, to_seconds
from gateway.ledger.model import CHAIN_START
from gateway.storage.database import Connection
from gateway.verifying.model import Row

PAGE_ROWS = 2_000

# Both sides come in the order of their indexes, so the server streams too.
ENTRIES = """
SELECT accounts.tenant_id, accounts.id, entry_count, accounts.chain_hash AS head,
    sequence, transaction_id, index, entries.asset_id, amount_minor, grant_id, occurred_at, balance_after_minor,
    entries.chain_hash
FROM accounts LEFT JOIN ledger_entries AS entries
    ON entries.tenant_id = accounts.tenant_id AND entries.account_id = accounts.id AND sequence IS NOT NULL
WHERE $1::uuid IS NULL OR accounts.tenant_id = $1
ORDER BY accounts.tenant_id, accounts.id, sequence
"""


class _Chain:
    """One account's chain, computed so far; `problem` is the first thing that does not fit."""

    __slots__ = ("account", "balance_minor", "entry_count", "hash", "latest", "problem")

    def __init__(self, account: asyncpg.Record) -> None:
        self.account = account
        self.hash = CHAIN_START
        self.entry_count = 0
        self.balance_minor = 0
        self.latest: datetime | None = None
        self.problem: str | None = None

    def add(self, row: asyncpg.Record) -> None:
        sequence, transaction_id, index, asset_id, amount, grant_id, at, balance, stored = row[4:]
        self.entry_count += 1
        self.balance_minor += amount
        if sequence != self.entry_count:
            self.problem = f"entry {self.entry_count} is missing"
            return
        if balance != self.balance_minor:
            self.problem = f"the balance after entry {sequence} does not follow"
            return
        self.hash = next_hash(
            self.hash,
            transaction_id,
            index,
            self.account[1],
            asset_id,
            amount,
            grant_id,
            to_seconds(at),
            sequence,
            balance,
        )
        if self.hash != stored:
            self.problem = f"the hash of entry {sequence} does not follow"
        elif self.latest is not None and at < self.latest:
            # Reads find times by halving the sequences (docs/decisions/0050-entries-by-sequence.md).
            self.problem = f"entry {sequence} is dated before the entry that it follows"
        self.latest = at

    def close(self) -> None:
        _, _, entry_count, head = self.account[:4]
        if self.problem:
            return
        if entry_count != self.entry_count:
            self.problem = (
                f"the account counts {entry_count} entries and {self.entry_count} are there"
            )
        elif head != self.hash:
            self.problem = "the account keeps another head than its last entry"

    def to_row(self) -> Row:
        tenant_id, account_id = self.account[:2]
        return {"tenant_id": tenant_id, "account_id": account_id, "problem": self.problem}


async def find_broken_chains(
    connection: Connection, tenant_id: UUID | None, limit: int
) -> Sequence[Row]:
    """Return the accounts whose chain breaks, and where it breaks first. Round trips: one a page."""
    broken: list[Row] = []
    chain: _Chain | None = None
    cursor = connection.cursor(ENTRIES, tenant_id, prefetch=PAGE_ROWS)
    async for row in cursor:
        if chain is None or row[1] != chain.account[1] or row[0] != chain.account[0]:
            _finish(chain, broken)
            if len(broken) >= limit:
                return broken
            chain = _Chain(row)
        if row[4] is not None and chain.problem is None:
            chain.add(row)
    _finish(chain, broken)
    return broken


def _finish(chain: _Chain | None, broken: list[Row]) -> None:
    if chain is None:
        return
    chain.close()
    if chain.problem:
        broken.append(chain.to_row())
