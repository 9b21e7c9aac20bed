"""Entries of a member's statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.ids import IdKind, encode_id
from gateway.ledger.assets import from_minor
from gateway.ledger.model import TransactionKind
from gateway.ledger.statement import EntryKey, StatementEntry, encode_entry_id
from gateway.ledger.statement_store import fetch_entries
from resolvers.context import Context, Info
from resolvers.enums import expose_enum
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.node import Node
from resolvers.types.asset import Asset, to_asset
from resolvers.types.grant import Grant, to_grant

expose_enum(
    TransactionKind,
    "Why an entry was posted.",
    {
        "GRANT": "`grantReward`.",
        "ISSUANCE": "`issueRewards`: what was paid, and what was issued.",
        "DISTRIBUTION": "`distributeRewards`.",
        "CLAIM": "`claimRewards`.",
        "REVERSAL": "`reverseGrant` and `reverseOperation`: takes back what an earlier transaction did.",
        "STOCK": "Units put into stock.",
        "GROUP_FUNDING": "`fundGroup`: from a member to their group.",
        "CAMPAIGN": "`recordEvent`: what a campaign gave.",
        "FUNDING": "`fundCampaign`: points put into a budget.",
        "CAPTURE": "`capture`: what was taken of a hold.",
        "EXPIRY": "What was not spent, or not claimed, in time.",
    },
    name="LedgerEntryKind",
)


@strawberry.type(
    description="One change of a member's balance. Entries are never changed or removed."
)
class LedgerEntry(Node):
    """One side of a transfer, as the member's statement shows it."""

    grant_id: strawberry.Private[UUID | None]

    asset: Asset = strawberry.field(description="What changed.")
    amount: Decimal = strawberry.field(description="By how much; below zero where it left.")
    balance_after: Decimal = strawberry.field(
        description="The posted balance of this asset after the entry."
    )
    transaction_id: strawberry.ID = strawberry.field(
        description="The ledger transaction it is part of."
    )
    kind: TransactionKind = strawberry.field(description="Why it was posted.")
    occurred_at: datetime = strawberry.field(description="When it was posted.")

    @resolved("The grant it belongs to; null if there is none that the caller may see.")
    async def grant(self, info: Info) -> Grant | None:
        """Load the grant."""
        if self.grant_id is None:
            return None
        record = await info.context.loaders.grants.load(self.grant_id)
        return to_grant(record) if record else None


async def load_entry_nodes(context: Context, keys: Sequence[EntryKey]) -> list[LedgerEntry | None]:
    """Return the entries that the caller may see, in the order of the keys; one statement."""
    caller, loaders = context.caller, context.loaders
    async with context.database.connection() as connection:
        entries = await fetch_entries(connection, caller.tenant_id, keys, caller.member_id)
        await loaders.learn_assets(connection, (entry.asset_id for entry in entries.values()))
    return [to_ledger_entry(entries[key], loaders) if key in entries else None for key in keys]


def to_ledger_entry(entry: StatementEntry, loaders: Loaders) -> LedgerEntry:
    """Return an entry as its GraphQL type; the loaders know its asset."""
    asset = loaders.assets[entry.asset_id]
    return LedgerEntry(
        id=strawberry.ID(encode_entry_id(entry.key.transaction_id, entry.key.index)),
        grant_id=entry.grant_id,
        asset=to_asset(asset),
        amount=from_minor(entry.amount_minor, asset.scale),
        balance_after=from_minor(entry.balance_after_minor, asset.scale),
        transaction_id=strawberry.ID(encode_id(IdKind.TRANSACTION, entry.key.transaction_id)),
        kind=entry.kind,
        occurred_at=entry.occurred_at,
    )
