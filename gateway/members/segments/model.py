"""Segments: an organization's named sets of members."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

NAME_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class Segment:
    """A set of members; its organization's rewards can be reserved for it."""

    id: UUID
    organization_id: UUID
    name: str
    created_at: datetime
