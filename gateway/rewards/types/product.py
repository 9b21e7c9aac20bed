"""Product: units taken from a product's stock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from gateway.errors import FieldError
from gateway.ids import to_uuid
from gateway.ledger.model import Account, OwnerKind, Transfer
from gateway.rewards.rules import check_count, check_exists
from gateway.rewards.types.base import Facts, Plan, PlanContext, References, Seal


@dataclass(frozen=True, slots=True)
class ProductConfiguration:
    """So many units of one product."""

    product_id: UUID
    quantity: int = 1

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(to_uuid(value["product_id"]), value["quantity"])

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object to be stored."""
        return {"product_id": str(self.product_id), "quantity": self.quantity}

    def to_fields(self) -> dict[str, Any]:
        """Return the request's fields in one spelling."""
        return self.to_json()

    def references(self) -> References:
        """Return the product."""
        return References(product_ids=frozenset({self.product_id}))

    def check(self, facts: Facts, path: tuple[str, ...]) -> list[FieldError]:
        """Return every broken rule: the product exists, the quantity is positive."""
        return check_exists(
            self.product_id, facts.product_ids, "product", (*path, "productId")
        ) + check_count(self.quantity, (*path, "quantity"))

    def complete(self, _: Facts, __: Seal) -> Self:
        """Return itself: nothing is left to find out."""
        return self

    def plan(self, context: PlanContext) -> Plan:
        """Move units from stock to the member; stock is bounded, so too little of it refuses the grant."""
        units = self.quantity * context.quantity
        stock = Account(self.product_id, OwnerKind.STOCK, self.product_id)
        member = Account(self.product_id, OwnerKind.MEMBER, context.member_id)
        benefit = {
            "kind": "PRODUCT_UNITS",
            "product_id": str(self.product_id),
            "quantity": units,
        }
        return Plan((Transfer(stock, member, units),), (benefit,))
