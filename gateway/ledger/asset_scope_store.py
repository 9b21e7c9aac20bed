"""Which assets a reader sees, as a part of statements that read what members and groups have."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID


class AssetScope(NamedTuple):
    """A partner's view: the tenant's assets, those of these owners, and those that name the organization as an issuer."""

    owner_ids: tuple[UUID, ...]
    issuer_id: UUID


# The parameters of whoever sees every asset, as members see what they have.
NO_SCOPE = (None, None)


def seen(asset_id: str, first: int) -> str:
    """Return the condition that an asset is seen, in a statement whose $1 is the tenant.

    `asset_id` is a column; the parameters `first` and the one after it are an AssetScope, or nulls for everything. One look-up by
    primary key for each asset of another organization, and none without a scope.
    """
    owners, issuer = f"${first}::uuid[]", f"${first + 1}::uuid"
    return f"""({owners} IS NULL OR EXISTS (SELECT FROM assets AS seen_assets
        WHERE seen_assets.tenant_id = $1 AND seen_assets.id = {asset_id}
            AND (seen_assets.organization_id IS NULL OR seen_assets.organization_id = ANY({owners})
                OR EXISTS (SELECT FROM asset_issuers AS issuers WHERE issuers.tenant_id = $1
                    AND issuers.organization_id = {issuer} AND issuers.asset_id = seen_assets.id))))"""
