"""Unique coupon: one code of a pool, never given twice, and one per member (MON-10)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from gateway.errors import FieldError
from gateway.ids import to_uuid
from gateway.rewards.rules import check_exists
from gateway.rewards.types.base import Facts, Plan, PlanContext, References, Seal


@dataclass(frozen=True, slots=True)
class UniqueCouponConfiguration:
    """The pool that codes are drawn from."""

    code_pool_id: UUID

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        return cls(to_uuid(value["code_pool_id"]))

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object to be stored."""
        return {"code_pool_id": str(self.code_pool_id)}

    def to_fields(self) -> dict[str, Any]:
        """Return the request's fields in one spelling."""
        return self.to_json()

    def references(self) -> References:
        """Return the pool."""
        return References(code_pool_ids=frozenset({self.code_pool_id}))

    def check(self, facts: Facts, path: tuple[str, ...]) -> list[FieldError]:
        """Return every broken rule: the pool exists and has a free code."""
        pool_path = (*path, "codePoolId")
        if errors := check_exists(self.code_pool_id, facts.code_pool_ids, "code pool", pool_path):
            return errors
        if self.code_pool_id in facts.stocked_pool_ids:
            return []
        message = "codePoolId must be the id of a code pool with free codes."
        return [FieldError(pool_path, "free_codes", message)]

    def complete(self, _: Facts, __: Seal) -> Self:
        """Return itself: nothing is left to find out."""
        return self

    def plan(self, _: PlanContext) -> Plan:
        """Ask for one code, whatever the quantity: a member holds at most one. Nothing moves in the ledger."""
        benefit = {
            "kind": "COUPON_CODE",
            "expires_at": None,
            "discount_type": None,
            "discount_value": None,
        }
        return Plan(benefits=(benefit,), coupon_pool_id=self.code_pool_id)
