"""What rewards are made of: products with stock, competitions, pools of coupon codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self
from uuid import UUID


class ItemKey(NamedTuple):
    """The id of a product, competition or pool, and the organization that must own it."""

    organization_id: UUID
    id: UUID


@dataclass(frozen=True, slots=True)
class Item:
    """What products, competitions and pools have in common."""

    id: UUID
    organization_id: UUID
    name: str
    created_at: datetime

    @property
    def key(self) -> ItemKey:
        """Return the key it is fetched by."""
        return ItemKey(self.organization_id, self.id)

    def to_json(self) -> dict[str, Any]:
        """Return it as an operation's stored answer keeps it."""
        return {
            "id": str(self.id),
            "organization_id": str(self.organization_id),
            "name": self.name,
            "created_at": self.created_at.isoformat(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            UUID(value["id"]),
            UUID(value["organization_id"]),
            value["name"],
            datetime.fromisoformat(value["created_at"]),
        )


class Product(Item):
    """Something to give; its units are the asset of the same id."""


class Competition(Item):
    """Something to take part in; its entries are the asset of the same id."""


class CodePool(Item):
    """A pool that unique coupons draw their codes from."""


@dataclass(frozen=True, slots=True)
class CodeCounts:
    """How many codes of a pool are in which state; `loaded` is what all imports brought in."""

    free: int = 0
    granted: int = 0
    voided: int = 0
    loaded: int = 0
