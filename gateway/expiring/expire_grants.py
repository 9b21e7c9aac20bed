"""End grants whose time is over: what was not claimed returns to issuance, a coupon is marked; safe with any number of workers.

Round trips: look for one that is due; if there is any, find the tenant (2), claim the key, lock the grants, read their
entries, lock balances, write the ledger, mark the grants, store the answer. Without anything unclaimed three fewer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from gateway.expiring import store
from gateway.expiring.system import NothingDue, find_system_caller, new_expiry_request
from gateway.grants.record import GrantRecord, GrantStatus
from gateway.ids import new_id
from gateway.ledger.balance import bounded_accounts
from gateway.ledger.entries_store import EntrySpan, fetch_transfers
from gateway.ledger.model import Transaction, TransactionKind
from gateway.ledger.store import lock_balances, record
from gateway.operations.model import Operation
from gateway.operations.once import run_once
from gateway.storage.database import Connection, Database


async def expire_grants(database: Database, tenant_id: UUID, limit: int) -> int:
    """Expire up to `limit` grants of a tenant, and return how many that were."""
    async with database.connection() as connection:
        if not await store.has_due_grants(connection, tenant_id):
            return 0
    caller = await find_system_caller(database, tenant_id)
    # A grant's transaction has the same id in every attempt.
    transaction_ids: defaultdict[UUID, UUID] = defaultdict(new_id)

    async def work(connection: Connection, operation: Operation) -> dict[str, Any]:
        grants = await store.lock_due_grants(connection, tenant_id, limit)
        if not grants:
            raise NothingDue
        unclaimed = [grant for grant in grants if grant.status is GrantStatus.CONFIRMED]
        if unclaimed:
            await _return_to_issuance(connection, tenant_id, operation, unclaimed, transaction_ids)
        await store.mark_expired(connection, tenant_id, [grant.id for grant in grants])
        return {"count": len(grants)}

    try:
        answer = await run_once(database, caller, new_expiry_request(), work)
    except NothingDue:
        return 0
    return int(answer.value["count"])


async def _return_to_issuance(
    connection: Connection,
    tenant_id: UUID,
    operation: Operation,
    grants: Sequence[GrantRecord],
    transaction_ids: Mapping[UUID, UUID],
) -> None:
    """Move what is owed for each grant back to where it came from, one transaction a grant."""
    spans = [
        EntrySpan(grant.transaction_id, grant.organization_id, grant.entry_from, grant.entry_to)
        for grant in grants
    ]
    owed = await fetch_transfers(connection, tenant_id, spans)
    accounts = bounded_accounts(transfer for transfers in owed for transfer in transfers)
    book = await lock_balances(connection, tenant_id, accounts, operation.at)
    for grant, transfers in zip(grants, owed, strict=True):
        transaction = Transaction(
            id=transaction_ids[grant.id],
            kind=TransactionKind.EXPIRY,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload={"grantIds": [str(grant.id)], "memberId": str(grant.member_id)},
            credential_id=operation.credential_id,
        )
        returned = [transfer.reversed() for transfer in reversed(transfers)]
        book.post(transaction, returned, grant.id)
    await record(connection, tenant_id, book, operation.at)


async def void_expired_codes(database: Database, tenant_id: UUID, limit: int) -> int:
    """Void up to `limit` free codes whose time is over, so that a pool counts only what it can give; return how many."""

    async def attempt(connection: Connection) -> int:
        return await store.void_due_codes(connection, tenant_id, limit)

    return await database.run_transaction(attempt)
