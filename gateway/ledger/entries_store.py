"""Read entries back, with the accounts they are on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from gateway.ledger.model import UNBOUNDED, Account, OwnerKind, Transfer
from gateway.storage.database import Connection

# Each range is one scan of the primary key: the inner ORDER BY keeps the planner from joining all ranges with all entries.
FETCH = """
SELECT wanted.position - 1 AS position, account_id, entries.asset_id, amount_minor, owner_kind, owner_id
FROM unnest($2::uuid[], $3::int[], $4::int[]) WITH ORDINALITY AS wanted (transaction_id, start, stop, position)
CROSS JOIN LATERAL (
    SELECT index, account_id, asset_id, amount_minor FROM ledger_entries
    WHERE tenant_id = $1 AND ledger_entries.transaction_id = wanted.transaction_id AND index >= start AND index < stop
    ORDER BY index
) AS entries
LEFT JOIN accounts ON accounts.tenant_id = $1 AND accounts.id = entries.account_id
ORDER BY wanted.position, entries.index
"""

INDEX_MAX = 2**31 - 1


class EntrySpan(NamedTuple):
    """The entries of a transaction from index `start` up to, not including, `stop`. Of one organization's transaction."""

    transaction_id: UUID
    organization_id: UUID
    start: int = 0
    stop: int = INDEX_MAX


@dataclass(slots=True)
class _Side:
    account: Account
    amount_minor: int


async def fetch_transfers(
    connection: Connection, tenant_id: UUID, spans: Sequence[EntrySpan]
) -> list[list[Transfer]]:
    """Return the transfers behind each span's entries, in the order posted; one round trip for any number of spans.

    Bounded accounts have a row that says whose they are; the others are those of the span's organization.
    """
    rows = await connection.fetch(
        FETCH,
        tenant_id,
        [span.transaction_id for span in spans],
        [span.start for span in spans],
        [span.stop for span in spans],
    )
    accounts = _Accounts()
    sides: list[list[_Side]] = [[] for _ in spans]
    for position, account_id, asset_id, amount_minor, owner_kind, owner_id in rows:
        account = accounts.find(
            account_id, asset_id, owner_kind, owner_id or spans[position].organization_id
        )
        sides[position].append(_Side(account, amount_minor))
    # Entries stand in pairs, the debit first: book.py writes them so.
    return [
        [
            Transfer(debit.account, credit.account, credit.amount_minor)
            for debit, credit in zip(of_span[::2], of_span[1::2], strict=True)
        ]
        for of_span in sides
    ]


class _Accounts:
    """Accounts by id, named once however many entries are on them."""

    def __init__(self) -> None:
        self._known: dict[UUID, Account] = {}

    def find(
        self, account_id: UUID, asset_id: UUID, owner_kind: str | None, owner_id: UUID
    ) -> Account:
        """Return the account of this id. Without a kind it is an unbounded one of the organization `owner_id`.

        Raises:
            KeyError: it is nobody's that could have it.
        """
        if account_id not in self._known:
            kinds = UNBOUNDED if owner_kind is None else (OwnerKind(owner_kind),)
            named = [Account(asset_id, kind, owner_id) for kind in kinds]
            self._known |= {account.id: account for account in named}
        return self._known[account_id]
