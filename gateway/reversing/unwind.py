"""The one routine that takes grants back, a single one as the batch of one.

Round trips, whatever the number of grants: read their entries, lock balances, write the ledger, mark the grants; with unique
coupons two more, to void their codes and let their members have another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from gateway.access import Caller
from gateway.grants import coupon_store, store
from gateway.grants.record import GrantKind, GrantRecord
from gateway.grants.status import ItemStatus
from gateway.ids import new_id
from gateway.ledger.balance import bounded_accounts
from gateway.ledger.book import Book
from gateway.ledger.entries_store import EntrySpan, fetch_transfers
from gateway.ledger.model import (
    BalanceTooHigh,
    BalanceTooLow,
    Transaction,
    TransactionKind,
    Transfer,
)
from gateway.ledger.store import lock_balances, record
from gateway.operations.model import Operation
from gateway.reversing.model import REVERSED, SPENT, TOO_HIGH, ReversalPolicy, judge
from gateway.storage.database import Connection


@dataclass(slots=True)
class Unwinding:
    """One reversal on its way. The transactions' ids outlive an attempt, so that every attempt writes the same rows."""

    caller: Caller
    reason: str | None
    policy: ReversalPolicy
    payload: Mapping[str, Any] = field(default_factory=dict)
    _reversal_ids: defaultdict[UUID, UUID] = field(default_factory=lambda: defaultdict(new_id))

    async def unwind(
        self, connection: Connection, operation: Operation, grants: Sequence[GrantRecord]
    ) -> dict[UUID, ItemStatus]:
        """Take back each of the locked grants that can be taken back, in order, and say what became of each.

        One transaction reverses each transaction that any of them was made by. A grant that is refused changes nothing.
        """
        statuses = {grant.id: judge(grant) or REVERSED for grant in grants}
        standing = [grant for grant in grants if statuses[grant.id] is REVERSED]
        if not standing:
            return statuses
        tenant_id, at = self.caller.tenant_id, operation.at
        transfers = await _find_transfers(connection, tenant_id, standing)
        accounts = bounded_accounts(t for several in transfers.values() for t in several)
        book = await lock_balances(connection, tenant_id, accounts, at)
        for grant in standing:
            transaction = self._transaction_for(grant, operation)
            statuses[grant.id] = self._post(book, transaction, transfers[grant.id], grant.id)
        taken = [grant for grant in standing if statuses[grant.id] is REVERSED]
        if taken:
            await record(connection, tenant_id, book, at)
            reversals = {grant.id: self._reversal_ids[grant.transaction_id] for grant in taken}
            await store.mark_reversed(connection, tenant_id, reversals, at)
            await _take_coupons_back(connection, tenant_id, taken)
        return statuses

    def reversal_id_of(self, grant: GrantRecord) -> UUID:
        """Return the transaction that took the grant back, or would have."""
        return self._reversal_ids[grant.transaction_id]

    def _transaction_for(self, grant: GrantRecord, operation: Operation) -> Transaction:
        return Transaction(
            id=self._reversal_ids[grant.transaction_id],
            kind=TransactionKind.REVERSAL,
            operation_id=operation.id,
            occurred_at=operation.at,
            payload=self.payload or {"grantIds": [str(grant.id)], "memberId": str(grant.member_id)},
            description=self.reason,
            reverses_id=grant.transaction_id,
            credential_id=operation.credential_id,
        )

    def _post(
        self, book: Book, transaction: Transaction, transfers: Sequence[Transfer], grant_id: UUID
    ) -> ItemStatus:
        may_owe = self.policy is ReversalPolicy.ALLOW_DEBT
        try:
            book.post(transaction, transfers, grant_id, may_owe=may_owe)
        except BalanceTooLow:
            return SPENT
        except BalanceTooHigh:
            return TOO_HIGH
        return REVERSED


async def _find_transfers(
    connection: Connection, tenant_id: UUID, grants: Sequence[GrantRecord]
) -> dict[UUID, list[Transfer]]:
    """Return for each grant the opposite of every transfer, the last one first, after what the member had paid."""
    made = [
        EntrySpan(grant.transaction_id, grant.organization_id, grant.entry_from, grant.entry_to)
        for grant in grants
    ]
    claims = {
        grant.id: EntrySpan(grant.claim_transaction_id, grant.organization_id)
        for grant in grants
        if grant.claim_transaction_id not in {None, grant.transaction_id}
        and grant.claim_transaction_id is not None
    }
    found = await fetch_transfers(connection, tenant_id, [*made, *claims.values()])
    claimed = dict(zip(claims, found[len(made) :], strict=True))
    return {
        grant.id: _opposite([*posted, *claimed.get(grant.id, [])])
        for grant, posted in zip(grants, found, strict=False)
    }


def _opposite(done: Sequence[Transfer]) -> list[Transfer]:
    opposite = [transfer.reversed() for transfer in reversed(done)]
    # What comes back to the member counts before anything is taken from the same balance.
    return sorted(opposite, key=lambda transfer: transfer.debit.is_bounded)


async def _take_coupons_back(
    connection: Connection, tenant_id: UUID, grants: Sequence[GrantRecord]
) -> None:
    """Void the codes, and let the members be granted the rewards anew with other ones."""
    given = {
        grant.id: (grant.reward_id, grant.member_id)
        for grant in grants
        if grant.kind is GrantKind.UNIQUE_COUPON and grant.reward_id is not None
    }
    if given:
        await coupon_store.void_codes(connection, tenant_id, list(given))
        await coupon_store.unassign(connection, tenant_id, given)
