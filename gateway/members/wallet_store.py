"""Members with what they have, read together: one round trip, whatever the number of members."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import product, starmap
from typing import NamedTuple
from uuid import UUID

from gateway.ledger.asset_scope_store import AssetScope, seen
from gateway.ledger.statement import AssetBalance
from gateway.storage.union_store import Question, Rows, Select

_FETCH = """
SELECT {columns}
FROM members LEFT JOIN accounts ON accounts.tenant_id = $1 AND owner_id = members.id AND owner_kind = 'MEMBER'
    AND entry_count > 0{seen}
WHERE members.tenant_id = $1 AND members.id {wanted}
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


class WalletForm(NamedTuple):
    """Which statement reads wallets: times take the driver longer than all of the rest, an array longer than one id.

    Members see all that they have, so only partners' statements ask whose the assets are.
    """

    is_one: bool
    has_times: bool
    is_scoped: bool


def _write(form: WalletForm) -> Select:
    columns = _COLUMNS | _TIMES if form.has_times else _COLUMNS
    types = {name.rpartition(".")[2]: kind for name, kind in columns.items()}
    wanted = "= $2" if form.is_one else "= ANY($2::uuid[])"
    condition = f" AND {seen('accounts.asset_id', 3)}" if form.is_scoped else ""
    text = _FETCH.format(columns=", ".join(columns), wanted=wanted, seen=condition)
    return Select(text, types)


FETCH = {form: _write(form) for form in starmap(WalletForm, product((False, True), repeat=3))}


class Wallet(NamedTuple):
    """A member, and a balance for every asset they ever had, by asset id; times are None if they were not read."""

    display_name: str | None
    created_at: datetime | None
    balances: list[AssetBalance]


def ask_wallets(
    tenant_id: UUID, member_ids: Sequence[UUID], *, has_times: bool, scope: AssetScope | None = None
) -> Question[dict[UUID, Wallet]]:
    """Return the question for the members of these ids that exist with their balances in the scope, by id; times only if needed."""
    is_one = len(member_ids) == 1
    wanted = member_ids[0] if is_one else member_ids
    form = WalletForm(is_one, has_times, is_scoped=scope is not None)
    return Question(FETCH[form], (tenant_id, wanted, *(scope or ())), _take_wallets)


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
