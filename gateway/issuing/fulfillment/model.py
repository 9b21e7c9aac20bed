"""Fulfillment: stages in order, and the steps that a grant took through them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

STAGE_LENGTH_MAX = 64
NOTE_LENGTH_MAX = 1_000
POSITION_MAX = 1_000_000
STAGES_MAX = 100


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of an organization's fulfillment; stages are in order of position."""

    name: str
    position: int


class FirstStage(NamedTuple):
    """The stage that a new grant begins at."""

    grant_id: UUID
    organization_id: UUID
    stage: str


@dataclass(frozen=True, slots=True)
class Step:
    """A stage that a grant came to, when, and what was noted."""

    stage: str
    at: datetime
    note: str | None


@dataclass(frozen=True, slots=True)
class Fulfillment:
    """Where a grant stands and every step that led there, oldest first."""

    stage: str
    updated_at: datetime
    steps: Sequence[Step]
