"""Members with what they have, read together: one round trip, whatever the number of members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from gateway.ledger.statement import AssetBalance
from gateway.members.model import Member
from gateway.storage.database import Connection

FETCH = """
SELECT members.id, display_name, created_at, asset_id, posted_minor, held_minor, accounts.updated_at
FROM members LEFT JOIN accounts ON accounts.tenant_id = $1 AND owner_id = members.id AND owner_kind = 'MEMBER'
    AND entry_count > 0
WHERE members.tenant_id = $1 AND members.id = ANY($2::uuid[])
ORDER BY members.id, asset_id
"""


class Wallet(NamedTuple):
    """A member, and a balance for every asset they ever had, by asset id."""

    member: Member
    balances: list[AssetBalance]


async def fetch_wallets(
    connection: Connection, tenant_id: UUID, member_ids: Sequence[UUID]
) -> dict[UUID, Wallet]:
    """Return the members of these ids that exist with their balances, by id."""
    wallets: dict[UUID, Wallet] = {}
    for member_id, display_name, created_at, asset_id, *amounts in await connection.fetch(
        FETCH, tenant_id, member_ids
    ):
        wallet = wallets.get(member_id)
        if wallet is None:
            wallet = Wallet(Member(member_id, display_name, created_at), [])
            wallets[member_id] = wallet
        if asset_id is not None:
            wallet.balances.append(AssetBalance(asset_id, *amounts))
    return wallets
