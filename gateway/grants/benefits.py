"""What grants' recorded benefits refer to."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from gateway.grants.row import ShownGrant
from gateway.ids import to_uuid

# A product's units and a competition's entries are counted by the asset of the same id.
ASSET_FIELDS = ("asset_id", "product_id", "competition_id", "paid_asset_id")


def assets_of(grants: Iterable[ShownGrant]) -> set[UUID]:
    """Return the assets that these grants' benefits are counted in."""
    return {
        to_uuid(benefit[name])
        for grant in grants
        for benefit in grant.benefits
        for name in ASSET_FIELDS
        if name in benefit
    }
