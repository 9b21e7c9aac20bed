"""Take what members have not spent in time; safe with any number of workers at once.

Round trips: find what is due; if there is anything, find the tenant (2), claim the key, lock the accounts, sum what is due,
lock the balances, write the ledger (2), store the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from gateway.expiring.system import NothingDue, find_system_caller, new_expiry_request
from gateway.ids import new_ids
from gateway.ledger import lot_store
from gateway.ledger.model import Account, OwnerKind, Transaction, TransactionKind, Transfer
from gateway.ledger.store import lock_balances, record
from gateway.operations.model import Operation
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database


async def expire_lots(database: Database, tenant_id: UUID, limit: int) -> int:
    """Expire what is due on the accounts of up to `limit` lots of a tenant, one transaction each, and return how many that were.

    What is held stays until its hold has ended; it expires then, unless it was captured.
    """
    async with database.connection() as connection:
        due = await lot_store.find_due_accounts(connection, tenant_id, limit)
    if not due:
        return 0
    caller = await find_system_caller(database, tenant_id)
    # Made before any attempt, so that every attempt writes the same rows.
    transaction_ids = dict(zip(due, new_ids(len(due)), strict=True))

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        accounts = await lot_store.lock_due_accounts(connection, tenant_id, due)
        count = await _expire(connection, tenant_id, operation, accounts, transaction_ids)
        if not count:
            raise NothingDue
        return {"count": count}

    try:
        answer = await run_once(database, caller, new_expiry_request(), work)
    except NothingDue:
        return 0
    return int(answer.value["count"])


async def _expire(
    connection: Connection,
    tenant_id: UUID,
    operation: Operation,
    accounts: Sequence[Account],
    transaction_ids: dict[UUID, UUID],
) -> int:
    at = operation.at
    ids = [account.id for account in accounts]
    due = await lot_store.sum_due(connection, tenant_id, ids, at) if ids else {}
    book = await lock_balances(connection, tenant_id, accounts, at)
    count = 0
    for account in accounts:
        amount_minor = min(due.get(account.id, 0), book.available_minor(account))
        if amount_minor <= 0:
            continue
        transaction = Transaction(
            id=transaction_ids[account.id],
            kind=TransactionKind.EXPIRY,
            operation_id=operation.id,
            occurred_at=at,
            payload={"ownerId": str(account.owner_id), "assetId": str(account.asset_id)},
            credential_id=operation.credential_id,
        )
        expired = Account(account.asset_id, OwnerKind.EXPIRED, tenant_id)
        # The soonest expiring lots are consumed first: those that are due.
        book.post(transaction, [Transfer(account, expired, amount_minor)])
        count += 1
    if count:
        await record(connection, tenant_id, book, at)
    return count
