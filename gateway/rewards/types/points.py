"""Points: so many units of a points asset, credited at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Self
from uuid import UUID

from gateway.errors import FieldError
from gateway.ids import to_uuid
from gateway.ledger.assets import AssetKind, to_minor
from gateway.ledger.model import Account, OwnerKind, Transfer, organization_account
from gateway.rewards.rules import check_amount, plain
from gateway.rewards.types.base import Facts, Plan, PlanContext, References, Seal

# Products' units and competitions' entries have reward types of their own, and cash is claimed, not credited.
_CREDITABLE = frozenset({AssetKind.POINTS, AssetKind.EXPERIENCE, AssetKind.CURRENCY})


@dataclass(frozen=True, slots=True)
class PointsConfiguration:
    """An amount of one asset. Units: minor, above zero."""

    asset_id: UUID
    amount_minor: int

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(to_uuid(value["asset_id"]), value["amount_minor"])

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object to be stored."""
        return {"asset_id": str(self.asset_id), "amount_minor": self.amount_minor}

    def plan(self, context: PlanContext) -> Plan:
        """Credit the member from the organization's issuance."""
        amount_minor = self.amount_minor * context.quantity
        issuance = organization_account(self.asset_id, OwnerKind.ISSUANCE, context.organization_id)
        member = Account(self.asset_id, OwnerKind.MEMBER, context.member_id)
        benefit = {
            "kind": "ASSET_CREDIT",
            "asset_id": str(self.asset_id),
            "amount_minor": amount_minor,
        }
        return Plan((Transfer(issuance, member, amount_minor),), (benefit,))


@dataclass(frozen=True, slots=True)
class PointsDraft:
    """An amount as a caller wrote it; without an asset, the tenant's own points."""

    amount: Decimal
    asset_id: UUID | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return the request's fields in one spelling."""
        return {"amount": plain(self.amount), "asset_id": self.asset_id}

    def references(self) -> References:
        """Return the asset named, if one is."""
        return References(asset_ids=frozenset({self.asset_id} if self.asset_id else ()))

    def check(self, facts: Facts, path: tuple[str, ...]) -> list[FieldError]:
        """Return every broken rule: the asset exists and can be credited, the amount is positive and exact in it."""
        asset_path = (*path, "assetId")
        asset_id = self.asset_id or facts.points_asset_id
        if errors := facts.check_asset(asset_id, "asset", asset_path):
            return errors + check_amount(self.amount, None, (*path, "amount"))
        asset = facts.assets[asset_id]
        errors = check_amount(self.amount, asset.scale, (*path, "amount"))
        if asset.kind not in _CREDITABLE:
            message = "assetId must be the id of points, experience points or a currency."
            errors.append(FieldError(asset_path, "kind", message))
        return errors

    def complete(self, facts: Facts, _: Seal) -> PointsConfiguration:
        """Return the configuration in smallest units."""
        asset_id = self.asset_id or facts.points_asset_id
        return PointsConfiguration(asset_id, to_minor(self.amount, facts.assets[asset_id].scale))
