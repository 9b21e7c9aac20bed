"""What grants' recorded benefits refer to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from gateway.ids import to_uuid

# A product's units and a competition's entries are counted by the asset of the same id.
ASSET_FIELDS = ("asset_id", "product_id", "competition_id", "paid_asset_id")


def assets_of(benefits: Iterable[Mapping[str, Any]]) -> set[UUID]:
    """Return the assets that recorded benefits are counted in."""
    return {
        to_uuid(benefit[name]) for benefit in benefits for name in ASSET_FIELDS if name in benefit
    }
