"""Groups: members of a tenant who share an account, and the ways to name a group."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from gateway.members.model import MemberReference

NAME_LENGTH_MAX = 200
EXTERNAL_ID_LENGTH_MAX = 128
MEMBERS_PER_CALL_MAX = 1_000


class GroupReference(NamedTuple):
    """Exactly one way to name a group; `id_as_sent` beside an `id` of None stands for text that names none."""

    id: UUID | None = None
    id_as_sent: str | None = None
    external_id: str | None = None
    primary_member: MemberReference | None = None

    @property
    def fingerprint(self) -> list[Any]:
        """Return the reference in one spelling."""
        primary = [*self.primary_member] if self.primary_member else None
        return [ascii(self.id_as_sent), self.external_id, primary]


@dataclass(frozen=True, slots=True)
class Group:
    """Members who pay together. The organization that made the group owns it: nobody else changes or funds it."""

    id: UUID
    organization_id: UUID
    name: str | None
    external_id: str | None
    primary_member_id: UUID
    created_at: datetime
