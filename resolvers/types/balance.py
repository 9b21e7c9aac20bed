"""What a member has of one asset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.ledger.assets import from_minor
from gateway.ledger.model import OwnerKind
from gateway.ledger.statement import AssetBalance
from gateway.ledger.statement_store import fetch_balances
from gateway.storage.database import Connection
from resolvers.loaders import Loaders
from resolvers.types.asset import Asset, to_asset


@strawberry.type(
    description="What a member, or a group, has of one asset. `posted` less `held` is `available`, which is below zero by what is `owed`."
)
class Balance:
    """One account of a member."""

    asset: Asset = strawberry.field(description="What is counted.")
    available: Decimal = strawberry.field(
        description="What can be spent now; below zero after a reversal of what had been spent."
    )
    held: Decimal = strawberry.field(
        description="What is reserved for rewards that are being issued."
    )
    posted: Decimal = strawberry.field(description="The sum of all entries.")
    owed: Decimal = strawberry.field(
        description="What the member owes after a reversal with debt; later credits repay it first."
    )
    updated_at: datetime = strawberry.field(description="When it last changed.")


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
    await loaders.learn_assets(
        connection, (balance.asset_id for owned in balances.values() for balance in owned)
    )
    return {
        owner_id: [_to_balance(balance, loaders) for balance in owned]
        for owner_id, owned in balances.items()
    }


def _to_balance(balance: AssetBalance, loaders: Loaders) -> Balance:
    asset = loaders.assets[balance.asset_id]
    return Balance(
        asset=to_asset(asset),
        available=from_minor(balance.available_minor, asset.scale),
        held=from_minor(balance.held_minor, asset.scale),
        posted=from_minor(balance.posted_minor, asset.scale),
        owed=from_minor(max(0, -balance.available_minor), asset.scale),
        updated_at=balance.updated_at,
    )
