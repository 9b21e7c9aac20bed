"""What a member has of one asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.ledger import assets as ledger
from gateway.ledger.assets import from_minor
from gateway.ledger.model import OwnerKind
from gateway.ledger.statement import AssetBalance
from gateway.ledger.statement_store import fetch_balances
from gateway.storage.database import Connection
from resolvers.fields import resolved
from resolvers.loaders import Loaders
from resolvers.types.asset import Asset, to_asset


@strawberry.type(
    description="What a member, or a group, has of one asset. `posted` less `held` is `available`, which is below zero by what is `owed`."
)
class Balance:
    """One account of a member."""

    balance: strawberry.Private[AssetBalance]
    counted: strawberry.Private[ledger.Asset]

    def __init__(self, balance: AssetBalance, counted: ledger.Asset) -> None:
        """Keep both; by position, as `Grant` does."""
        self.balance = balance
        self.counted = counted

    @resolved("What is counted.")
    def asset(self) -> Asset:
        """Return the asset."""
        return to_asset(self.counted)

    @resolved("What can be spent now; below zero after a reversal of what had been spent.")
    def available(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(self.balance.available_minor, self.counted.scale)

    @resolved("What is reserved for rewards that are being issued.")
    def held(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(self.balance.held_minor, self.counted.scale)

    @resolved("The sum of all entries.")
    def posted(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(self.balance.posted_minor, self.counted.scale)

    @resolved("What the member owes after a reversal with debt; later credits repay it first.")
    def owed(self) -> Decimal:
        """Return the amount in the asset's own decimals."""
        return from_minor(max(0, -self.balance.available_minor), self.counted.scale)

    @resolved("When it last changed.")
    def updated_at(self) -> datetime:
        """Return when."""
        return self.balance.updated_at


async def load_balances(
    connection: Connection,
    loaders: Loaders,
    owner_ids: Sequence[UUID],
    owner_kind: OwnerKind = OwnerKind.MEMBER,
    as_of: datetime | None = None,
) -> Mapping[UUID, list[Balance]]:
    """Return each owner's balances with their assets, now or at a past time; a fetcher for loaders."""
    tenant_id = loaders.caller.tenant_id
    balances = await fetch_balances(connection, tenant_id, owner_ids, owner_kind, as_of)
    return await present_balances(connection, loaders, balances)


async def present_balances(
    connection: Connection, loaders: Loaders, balances: Mapping[UUID, Sequence[AssetBalance]]
) -> Mapping[UUID, list[Balance]]:
    """Return each owner's balances as their GraphQL type; one round trip if an asset is new to the process, else none."""
    asset_ids = {balance.asset_id for owned in balances.values() for balance in owned}
    if not loaders.knows_assets(asset_ids):
        await loaders.learn_assets(connection, asset_ids)
    assets = loaders.assets
    return {
        owner_id: [Balance(balance, assets[balance.asset_id]) for balance in owned]
        for owner_id, owned in balances.items()
    }
