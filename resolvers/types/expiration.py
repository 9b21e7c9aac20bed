"""What of a member's balances expires next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import strawberry

from gateway.ledger import lot_store
from gateway.ledger.assets import from_minor
from gateway.storage.database import Connection
from resolvers.loaders import Loaders
from resolvers.types.asset import Asset, to_asset


@strawberry.type(description="An amount that expires at one time unless it is spent before.")
class Expiration:
    """What is left of the credits that expire together."""

    asset: Asset = strawberry.field(description="What expires.")
    amount: Decimal = strawberry.field(
        description="What is left of it: spending takes the soonest expiring first."
    )
    expires_at: datetime = strawberry.field(
        description="When it expires. In the past, it is about to; what is held expires when the hold has ended."
    )


async def load_next_expirations(
    connection: Connection,
    loaders: Loaders,
    member_ids: Sequence[UUID],
    asset_id: UUID | None,
    limit: int,
) -> Mapping[UUID, list[Expiration]]:
    """Return each member's next expirations with their assets; a fetcher for loaders."""
    tenant_id = loaders.caller.tenant_id
    upcoming = await lot_store.fetch_next_expirations(
        connection, tenant_id, member_ids, asset_id, limit, loaders.asset_scope
    )
    await loaders.learn_assets(
        connection, (found.asset_id for of_one in upcoming.values() for found in of_one)
    )
    return {
        member_id: [_to_expiration(found, loaders) for found in of_one]
        for member_id, of_one in upcoming.items()
    }


def _to_expiration(found: lot_store.Expiration, loaders: Loaders) -> Expiration:
    asset = loaders.assets[found.asset_id]
    return Expiration(
        asset=to_asset(asset),
        amount=from_minor(found.amount_minor, asset.scale),
        expires_at=found.expires_at,
    )
