"""Entries of a member's statement."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import strawberry

from gateway.ids import IdKind, encode_id
from gateway.ledger import assets as ledger
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

    entry: strawberry.Private[StatementEntry]
    counted: strawberry.Private[ledger.Asset]

    @resolved("What changed.")
    def asset(self) -> Asset:
        """Return the asset."""
        return to_asset(self.counted)

    @resolved("By how much; below zero where it left.")
    def amount(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(self.entry.amount_minor, self.counted.scale)

    @resolved("The posted balance of this asset after the entry.")
    def balance_after(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(self.entry.balance_after_minor, self.counted.scale)

    @resolved("The ledger transaction it is part of.")
    def transaction_id(self) -> strawberry.ID:
        """Name the transaction."""
        return strawberry.ID(encode_id(IdKind.TRANSACTION, self.entry.key.transaction_id))

    @resolved("Why it was posted.")
    def kind(self) -> TransactionKind:
        """Return what the entry has."""
        return self.entry.kind

    @resolved("When it was posted.")
    def occurred_at(self) -> datetime:
        """Return when."""
        return self.entry.occurred_at

    @resolved("The grant it belongs to; null if there is none that the caller may see.")
    async def grant(self, info: Info) -> Grant | None:
        """Load the grant."""
        if self.entry.grant_id is None:
            return None
        record = await info.context.loaders.grants.load(self.entry.grant_id)
        return to_grant(record) if record else None


async def load_entry_nodes(context: Context, keys: Sequence[EntryKey]) -> list[LedgerEntry | None]:
    """Return the entries that the caller may see, in the order of the keys; one statement."""
    caller, loaders = context.caller, context.loaders
    async with context.database.connection() as connection:
        entries = await fetch_entries(
            connection, caller.tenant_id, keys, caller.member_id, loaders.asset_scope
        )
        await loaders.learn_assets(connection, (entry.asset_id for entry in entries.values()))
    return [to_ledger_entry(entries[key], loaders) if key in entries else None for key in keys]


def to_ledger_entry(entry: StatementEntry, loaders: Loaders) -> LedgerEntry:
    """Return an entry as its GraphQL type; the loaders know its asset."""
    return LedgerEntry(
        id=strawberry.ID(encode_entry_id(entry.key.transaction_id, entry.key.index)),
        entry=entry,
        counted=loaders.assets[entry.asset_id],
    )
