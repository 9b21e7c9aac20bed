"""What owners have, now or at a past time: one round trip, whatever the number of owners."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gateway.ledger.asset_scope_store import NO_SCOPE, AssetScope, seen
from gateway.ledger.model import OwnerKind
from gateway.ledger.search_store import last_entry
from gateway.ledger.statement import AssetBalance
from gateway.storage.database import Connection
from gateway.storage.union_store import Question, Rows, Select, ask

_BALANCE = {
    "owner_id": "uuid",
    "asset_id": "uuid",
    "posted_minor": "bigint",
    "held_minor": "bigint",
    "updated_at": "timestamptz",
}
BALANCES = Select(
    f"""
SELECT owner_id, asset_id, posted_minor, held_minor, updated_at FROM accounts
WHERE tenant_id = $1 AND owner_id = ANY($2::uuid[]) AND owner_kind = $3 AND entry_count > 0 AND {seen("asset_id", 4)}
ORDER BY owner_id, asset_id
""",
    _BALANCE,
)

# The last entry up to a time knows what was posted then; what was held is the sum of the holds that were open.
BALANCES_AS_OF = Select(
    f"""
SELECT owner_id, asset_id, last.balance_after_minor AS posted_minor, coalesce(held.amount_minor, 0)::bigint AS held_minor,
    last.occurred_at AS updated_at
FROM accounts
CROSS JOIN LATERAL {last_entry("occurred_at <= $6")} AS up_to
CROSS JOIN LATERAL (
    SELECT balance_after_minor, occurred_at FROM ledger_entries
    WHERE tenant_id = $1 AND account_id = accounts.id AND ledger_entries.sequence = up_to.sequence LIMIT 1
) AS last
LEFT JOIN LATERAL (
    SELECT sum(amount_minor) AS amount_minor FROM holds
    WHERE tenant_id = $1 AND account_id = accounts.id AND created_at <= $6 AND (ended_at IS NULL OR ended_at > $6)
) AS held ON true
WHERE tenant_id = $1 AND owner_id = ANY($2::uuid[]) AND owner_kind = $3 AND entry_count > 0 AND {seen("asset_id", 4)}
ORDER BY owner_id, asset_id
""",
    _BALANCE,
)


async def fetch_balances(
    connection: Connection,
    tenant_id: UUID,
    owner_ids: Sequence[UUID],
    owner_kind: OwnerKind = OwnerKind.MEMBER,
    as_of: datetime | None = None,
    scope: AssetScope | None = None,
) -> dict[UUID, list[AssetBalance]]:
    """Return each owner's balances, one for every asset they ever had and the scope sees; every owner asked for has a list.

    With `as_of`, as they were at that time, entries and holds of that very moment included.
    """
    return await ask(connection, ask_balances(tenant_id, owner_ids, owner_kind, as_of, scope))


def ask_balances(
    tenant_id: UUID,
    owner_ids: Sequence[UUID],
    owner_kind: OwnerKind,
    as_of: datetime | None,
    scope: AssetScope | None = None,
) -> Question[dict[UUID, list[AssetBalance]]]:
    """Return the question for each owner's balances."""

    def take(rows: Rows) -> dict[UUID, list[AssetBalance]]:
        balances: dict[UUID, list[AssetBalance]] = {owner_id: [] for owner_id in owner_ids}
        for owner_id, *columns in rows:
            balances[owner_id].append(AssetBalance(*columns))
        return balances

    parameters = (tenant_id, owner_ids, owner_kind, *(scope or NO_SCOPE))
    if as_of is None:
        return Question(BALANCES, parameters, take)
    return Question(BALANCES_AS_OF, (*parameters, as_of), take)
