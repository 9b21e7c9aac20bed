"""Cards and labels: what is linked to a member, each active or not."""

from __future__ import annotations

import enum
from typing import NamedTuple

LINKS_MAX = 100
NAME_LENGTH_MAX = 128


class StandingKind(enum.StrEnum):
    """What is linked. A card's number is one member's in the whole tenant; a label may be many members'."""

    CARD = "CARD"
    LABEL = "LABEL"


class StandingStatus(enum.StrEnum):
    """Whether a card or label counts."""

    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"


class Link(NamedTuple):
    """A card by its number, or a label by its name."""

    name: str
    status: StandingStatus
