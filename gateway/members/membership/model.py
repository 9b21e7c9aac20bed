"""Sets of members, and the ways to change one."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

MEMBERS_PER_CALL_MAX = 10_000
ERRORS_SHOWN_MAX = 100


class MemberSet(enum.StrEnum):
    """What has members. Both are an organization's."""

    GROUP = "GROUP"
    SEGMENT = "SEGMENT"


class MembershipChange(enum.StrEnum):
    """What to do with the members named."""

    SET = "SET"
    ADD = "ADD"
    REMOVE = "REMOVE"


@dataclass(frozen=True, slots=True)
class SetMembers:
    """A change of one set. An id of None stands for one that can name nothing."""

    request_id: str
    kind: MemberSet
    set_id: UUID | None
    change: MembershipChange
    member_ids: Sequence[UUID | None]


@dataclass(frozen=True, slots=True)
class MembersOutcome:
    """How many members came and went; those that were in, or out, already are not counted."""

    set_id: UUID
    added_count: int
    removed_count: int
    idempotent_replay: bool
