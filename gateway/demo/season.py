"""Points that expire, for the demo member: some from the start, some spent."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from gateway.access import Caller
from gateway.distributing.distribute_rewards import distribute_rewards
from gateway.distributing.model import DistributeCommand, DistributionLine, Recipient
from gateway.ledger.assets import AssetKind
from gateway.storage.database import Database
from gateway.tenants.assets import CreateAsset, create_asset

EXPIRES_AFTER_DAYS = 90


async def give_season_points(database: Database, caller: Caller, member_id: UUID) -> UUID:
    """Make an asset that expires after a season, give and take a little of it, and return its id."""
    asset = CreateAsset(
        request_id="demo-season",
        code="SEASON",
        name="Season points",
        kind=AssetKind.POINTS,
        expires_after_days=EXPIRES_AFTER_DAYS,
    )
    asset_id = (await create_asset(database, caller, asset)).asset.id
    recipient = Recipient(None, f"mem_{member_id}")
    for key, amount in (("demo-season-1", 40), ("demo-season-2", 25), ("demo-season-3", -15)):
        line = DistributionLine(recipient, str(asset_id), Decimal(amount), None)
        command = DistributeCommand(key, [line], "Demo season")
        await distribute_rewards(database, caller, command)
    return asset_id
