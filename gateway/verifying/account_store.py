"""Check the accounts whose ids are derived: compute the derivation again."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from gateway.ledger.model import UNBOUNDED, Account, OwnerKind
from gateway.storage.database import Connection
from gateway.verifying.model import Row

PAGE_ROWS = 2_000
OWNER_KINDS = frozenset(kind.value for kind in OwnerKind)

# Unbounded accounts have no row; only their entries name them.
SYSTEM_ACCOUNTS = """
SELECT DISTINCT tenant_id, asset_id, account_id FROM ledger_entries
WHERE ($1::uuid IS NULL OR tenant_id = $1) AND sequence IS NULL
ORDER BY tenant_id, asset_id, account_id
"""

ORGANIZATIONS = """
SELECT id FROM organizations WHERE tenant_id = $1
"""

ACCOUNTS = """
SELECT tenant_id, id, asset_id, owner_kind, owner_id FROM accounts
WHERE $1::uuid IS NULL OR tenant_id = $1 ORDER BY tenant_id, id
"""


async def find_unknown_system_accounts(
    connection: Connection, tenant_id: UUID | None, limit: int
) -> Sequence[Row]:
    """Return the accounts without a row that are neither an organization's issuance or redemption nor the tenant's expiry."""
    unknown: list[Row] = []
    known: set[UUID] = set()
    seen: tuple[UUID, UUID] | None = None
    async for row in connection.cursor(SYSTEM_ACCOUNTS, tenant_id, prefetch=PAGE_ROWS):
        if seen != (row["tenant_id"], row["asset_id"]):
            seen = row["tenant_id"], row["asset_id"]
            organizations = await connection.fetch(ORGANIZATIONS, row["tenant_id"])
            known = {
                Account(row["asset_id"], owner_kind, organization["id"]).id
                for organization in organizations
                for owner_kind in UNBOUNDED - {OwnerKind.EXPIRED}
            }
            known.add(Account(row["asset_id"], OwnerKind.EXPIRED, row["tenant_id"]).id)
        if row["account_id"] not in known:
            unknown.append(dict(row))
            if len(unknown) >= limit:
                break
    return unknown


async def find_misnamed_accounts(
    connection: Connection, tenant_id: UUID | None, limit: int
) -> Sequence[Row]:
    """Return the accounts whose id does not follow from their owner and asset, or that should have no row."""
    misnamed: list[Row] = []
    async for row in connection.cursor(ACCOUNTS, tenant_id, prefetch=PAGE_ROWS):
        if not _is_well_named(row["id"], row["asset_id"], row["owner_kind"], row["owner_id"]):
            misnamed.append(dict(row))
            if len(misnamed) >= limit:
                break
    return misnamed


def _is_well_named(account_id: UUID, asset_id: UUID, owner_kind: str, owner_id: UUID) -> bool:
    if owner_kind not in OWNER_KINDS:
        return False
    account = Account(asset_id, OwnerKind(owner_kind), owner_id)
    return account.is_bounded and account.id == account_id
