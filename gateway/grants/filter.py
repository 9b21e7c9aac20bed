"""Which of the grants that a caller may see are wanted."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.grants.record import GrantKind, GrantSource, GrantStatus


@dataclass(frozen=True, slots=True)
class GrantFilter:
    """Which grants are wanted; None stands for any. Times: from `rewarded_from` up to, not including, `rewarded_until`."""

    statuses: tuple[GrantStatus, ...] | None = None
    sources: tuple[GrantSource, ...] | None = None
    kinds: tuple[GrantKind, ...] | None = None
    action_code: str | None = None
    member_id: UUID | None = None
    reward_id: UUID | None = None
    client_reference: str | None = None
    rewarded_from: datetime | None = None
    rewarded_until: datetime | None = None
    stages: tuple[str, ...] | None = None


ALL_GRANTS = GrantFilter()


class GrantGrouping(enum.StrEnum):
    """What grants are summed by."""

    ACTION_CODE = "ACTION_CODE"
    REWARD = "REWARD"
    SOURCE = "SOURCE"
    DAY = "DAY"
    ASSET = "ASSET"
    CAMPAIGN = "CAMPAIGN"


@dataclass(frozen=True, slots=True)
class GrantTotal:
    """The grants of one group: how many, and how much of each asset in minor units.

    `key` is the action code, reward id, campaign id, source, UTC day or asset id; None for grants without one.
    """

    key: str | None
    grant_count: int
    amounts_minor: dict[UUID, int]
