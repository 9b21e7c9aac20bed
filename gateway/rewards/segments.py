"""A reward's segments (CAP-10): they stand beside the reward, not in its versions.

A version is what a grant shows; who may have a reward is a question of the moment, as its status is.
"""

from __future__ import annotations

from uuid import UUID

from gateway.access import Caller
from gateway.errors import FieldError
from gateway.rewards.fields import RewardFields
from gateway.rewards.segment_store import fetch_known_segments, replace_segments
from gateway.storage.database import Connection

SEGMENTS_MAX = 100
PATH = ("input", "segmentIds")


async def check_segments(
    connection: Connection, caller: Caller, fields: RewardFields
) -> list[FieldError]:
    """Return the broken rules of the segments named; one round trip, none if none is named."""
    if not isinstance(fields.segment_ids, tuple) or not fields.segment_ids:
        return []
    if len(fields.segment_ids) > SEGMENTS_MAX:
        return [FieldError(PATH, "length", f"segmentIds must be at most {SEGMENTS_MAX}.")]
    scope = (caller.tenant_id, caller.organization_id)
    known = await fetch_known_segments(connection, *scope, fields.segment_ids)
    message = "segmentIds must be ids of existing segments."
    return [
        FieldError((*PATH, str(index)), "exists", message)
        for index, segment_id in enumerate(fields.segment_ids)
        if segment_id not in known
    ]


async def write_segments(
    connection: Connection, tenant_id: UUID, reward_id: UUID, fields: RewardFields
) -> None:
    """Reserve the reward for the segments named; one round trip, none if the fields do not name any list."""
    if isinstance(fields.segment_ids, tuple):
        await replace_segments(connection, tenant_id, reward_id, fields.segment_ids)
