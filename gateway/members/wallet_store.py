"""Members with what they have, read together: one round trip, whatever the number of members."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gateway.ledger.statement import AssetBalance
from gateway.storage.union_store import Question, Rows, Select

_FETCH = """
SELECT {columns}
FROM members LEFT JOIN accounts ON accounts.tenant_id = $1 AND owner_id = members.id AND owner_kind = 'MEMBER'
    AND entry_count > 0
WHERE members.tenant_id = $1 AND members.id = ANY($2::uuid[])
ORDER BY members.id, asset_id
"""
_COLUMNS = {
    "members.id": "uuid",
    "display_name": "text",
    "asset_id": "uuid",
    "posted_minor": "bigint",
    "held_minor": "bigint",
}
_TIMES = {"members.created_at": "timestamptz", "accounts.updated_at": "timestamptz"}


def _write(columns: Mapping[str, str]) -> Select:
    types = {name.rpartition(".")[2]: kind for name, kind in columns.items()}
    return Select(_FETCH.format(columns=", ".join(columns)), types)


# By whether it reads times: the driver spends more on one of them than on all of the rest.
FETCH = {False: _write(_COLUMNS), True: _write(_COLUMNS | _TIMES)}


class Wallet(NamedTuple):
    """A member, and a balance for every asset they ever had, by asset id; times are None if they were not read."""

    display_name: str | None
    created_at: datetime | None
    balances: list[AssetBalance]


def ask_wallets(
    tenant_id: UUID, member_ids: Sequence[UUID], *, has_times: bool
) -> Question[dict[UUID, Wallet]]:
    """Return the question for the members of these ids that exist with their balances, by id; their times only if needed."""
    return Question(FETCH[has_times], (tenant_id, member_ids), _take_wallets)


def _take_wallets(rows: Rows) -> dict[UUID, Wallet]:
    wallets: dict[UUID, Wallet] = {}
    for member_id, display_name, asset_id, posted_minor, held_minor, *times in rows:
        created_at, updated_at = times or (None, None)
        wallet = wallets.get(member_id)
        if wallet is None:
            wallet = wallets[member_id] = Wallet(display_name, created_at, [])
        if asset_id is not None:
            wallet.balances.append(AssetBalance(asset_id, posted_minor, held_minor, updated_at))
    return wallets
