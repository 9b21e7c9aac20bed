"""What the outbox event of a grant's transaction says."""

from __future__ import annotations

from typing import Any
from uuid import UUID


def to_event(grant_id: UUID, member_id: UUID, group_id: UUID | str | None = None) -> dict[str, Any]:
    """Return the event's payload; a redemption by a group is marked so (CAP-12)."""
    payload: dict[str, Any] = {"grantIds": [str(grant_id)], "memberId": str(member_id)}
    if group_id is not None:
        payload |= {"groupRedemption": True, "groupId": str(group_id)}
    return payload
