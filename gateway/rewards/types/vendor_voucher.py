"""Vendor voucher: bought from a vendor over HTTP when it is granted (CAP-5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from gateway.errors import FieldError
from gateway.ids import to_uuid
from gateway.rewards.rules import check_exists
from gateway.rewards.types.base import Facts, Plan, PlanContext, Purchase, References, Seal
from gateway.text import check_text

TEXT_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class VendorVoucherConfiguration:
    """What to ask which vendor for. `takes_quantity` says that the vendor is told how many; if not, one is bought."""

    vendor_id: UUID
    offer_name: str | None
    series_id: str | None
    takes_quantity: bool

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(
            to_uuid(value["vendor_id"]),
            value["offer_name"],
            value["series_id"],
            value["takes_quantity"],
        )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object to be stored."""
        return {
            "vendor_id": str(self.vendor_id),
            "offer_name": self.offer_name,
            "series_id": self.series_id,
            "takes_quantity": self.takes_quantity,
        }

    def plan(self, context: PlanContext) -> Plan:
        """Buy from the vendor. Nothing moves in the ledger, and nothing is in hand, until it has answered."""
        purchase = Purchase(self.vendor_id, self.offer_name, self.series_id, context.quantity)
        return Plan(purchase=purchase)


@dataclass(frozen=True, slots=True)
class VendorVoucherDraft:
    """A vendor's offer as a caller wrote it."""

    vendor_id: UUID
    offer_name: str | None = None
    series_id: str | None = None

    def to_fields(self) -> dict[str, Any]:
        """Return the request's fields in one spelling."""
        return {
            "vendor_id": self.vendor_id,
            "offer_name": self.offer_name,
            "series_id": self.series_id,
        }

    def references(self) -> References:
        """Return the vendor."""
        return References(vendor_ids=frozenset({self.vendor_id}))

    def check(self, facts: Facts, path: tuple[str, ...]) -> list[FieldError]:
        """Return every broken rule: the vendor exists, the names are text."""
        errors = check_exists(self.vendor_id, facts.vendor_ids, "vendor", (*path, "vendorId"))
        errors += check_text(self.offer_name, (*path, "offerName"), TEXT_LENGTH_MAX)
        return errors + check_text(self.series_id, (*path, "seriesId"), TEXT_LENGTH_MAX)

    def complete(self, facts: Facts, _: Seal) -> VendorVoucherConfiguration:
        """Return the configuration, which remembers whether the vendor is told how many."""
        return VendorVoucherConfiguration(
            self.vendor_id,
            self.offer_name,
            self.series_id,
            takes_quantity=self.vendor_id in facts.quantity_vendor_ids,
        )
