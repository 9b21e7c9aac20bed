"""Accounts with a history of entries, written straight into the tables: as long as a test wants it, in a moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import accumulate
from uuid import UUID

from gateway.ids import new_id
from gateway.ledger.model import Account, TransactionKind
from gateway.ledger.statement import EntryKey, StatementEntry
from gateway.storage.database import Database

INSERT_TRANSACTION = """
INSERT INTO ledger_transactions (tenant_id, id, kind, operation_id, occurred_at) VALUES ($1, $2, 'GRANT', $3, now())
"""
INSERT_ACCOUNT = """
INSERT INTO accounts (tenant_id, id, asset_id, owner_kind, owner_id, posted_minor, held_minor, entry_count, chain_hash, updated_at)
VALUES ($1, $2, $3, $4, $5, $6, 0, $7, '', now())
"""
INSERT_ENTRIES = """
INSERT INTO ledger_entries (tenant_id, transaction_id, index, account_id, asset_id, amount_minor, occurred_at,
    sequence, balance_after_minor, chain_hash)
SELECT $1, $2, sequence, $3, $4, amount, at, sequence, balance, ''
FROM unnest($5::bigint[], $6::bigint[], $7::timestamptz[]) WITH ORDINALITY AS written (amount, balance, at, sequence)
"""


def at(second: float) -> datetime:
    """Return the time that many seconds after 1970 began."""
    return datetime.fromtimestamp(second, UTC)


async def write_history(
    database: Database,
    tenant_id: UUID,
    account: Account,
    seconds: Sequence[int],
    amounts: Sequence[int],
) -> list[StatementEntry]:
    """Make an account with an entry for each second and amount, oldest first, and return them. Hashes are empty."""
    balances = list(accumulate(amounts))
    transaction_id = new_id()
    await database.fetch(INSERT_TRANSACTION, tenant_id, transaction_id, new_id())
    owner = (account.asset_id, account.owner_kind, account.owner_id)
    posted_minor = balances[-1] if balances else 0
    await database.fetch(INSERT_ACCOUNT, tenant_id, account.id, *owner, posted_minor, len(amounts))
    await database.fetch(
        INSERT_ENTRIES,
        tenant_id,
        transaction_id,
        account.id,
        account.asset_id,
        amounts,
        balances,
        [at(second) for second in seconds],
    )
    return [
        StatementEntry(
            EntryKey(transaction_id, sequence),
            account.id,
            account.asset_id,
            amount,
            balance,
            sequence,
            TransactionKind.GRANT,
            None,
            at(second),
        )
        for sequence, (amount, balance, second) in enumerate(
            zip(amounts, balances, seconds, strict=True), start=1
        )
    ]
