"""Holds on the demo member's points: one to capture and one to release."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

from gateway.access import Caller
from gateway.holding.model import EXPIRES_IN_SECONDS_MAX, ReserveCommand
from gateway.holding.reserve import reserve
from gateway.ids import IdKind, encode_id
from gateway.members.model import MemberReference
from gateway.storage.database import Database


async def place_holds(database: Database, caller: Caller, member_id: UUID) -> dict[str, str]:
    """Hold a few points twice and return the public ids as `demo.json` keeps them."""
    member = MemberReference(None, str(member_id))
    points_id = caller.standard_assets.points_id
    ids = {}
    for name in ("holdId", "releasableHoldId"):
        command = ReserveCommand(
            f"demo-{name}", member, points_id, Decimal(5), EXPIRES_IN_SECONDS_MAX, "Demo checkout"
        )
        outcome = await reserve(database, caller, command)
        ids[name] = encode_id(IdKind.HOLD, outcome.hold.id)
    return ids
